// Asks the server that sent this page whether the results have changed, and shows them anew, with what was chosen.
(() => {
  let seen = null;
  setInterval(async () => {
    try {
      const state = await (await fetch("state")).text();
      if (seen !== null && state !== seen) location.reload();
      seen = state;
    } catch { /* the server has ended; the page stays as it is */ }
  }, 2000);
})();
