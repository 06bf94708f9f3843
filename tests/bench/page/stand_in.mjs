// Stands for onnxruntime-web in tests, with as much of its documented contract as the page uses, and checks what it gets:
// https://onnxruntime.ai/docs/api/js (InferenceSession.create, run; Tensor; env.wasm). It executes nothing: its answer is
// the mean of each channel, as probabilities.
export const env = {wasm: {numThreads: 0, wasmBinary: undefined}, versions: {web: "0.0.0-stand-in"}};

export class Tensor {
  constructor(type, data, dims) {
    if (type !== "float32" || !(data instanceof Float32Array)) throw new TypeError("only float32 here");
    if (dims.reduce((a, b) => a * b, 1) !== data.length) throw new Error("the size of the data is not that of the dims");
    Object.assign(this, {type, data, dims});
  }
}

export class InferenceSession {
  static async create(model, options) {
    if (!(model instanceof Uint8Array) || model[0] !== 8) throw new Error("no ONNX model: it begins with its IR version");
    if (env.wasm.numThreads !== 1) throw new Error("more threads need cross-origin isolation");
    if (new TextDecoder().decode(env.wasm.wasmBinary) !== "\0asm stand-in") throw new Error("not the code that was given");
    if (options.executionProviders[0] !== "wasm") throw new Error("only wasm here");
    const text = new TextDecoder("latin1").decode(model);
    const made = new InferenceSession();
    made.inputNames = ["image"];
    made.outputNames = [text.includes("classLabel_probs") ? "classLabel_probs" : "probabilities"];
    return made;
  }
  async run(feeds) {
    const input = feeds[this.inputNames[0]];
    if (!(input instanceof Tensor)) throw new Error(`input '${this.inputNames[0]}' is missing`);
    globalThis.fed = {dims: input.dims, data: [...input.data]};
    const area = input.data.length / 3, means = [0, 1, 2].map(c => input.data.slice(c * area, (c + 1) * area).reduce((a, b) => a + b, 0));
    const sum = means.reduce((a, b) => a + b, 0) || 1;
    return {[this.outputNames[0]]: new Tensor("float32", Float32Array.from(means, m => m / sum), [1, 3])};
  }
}
export default {env, Tensor, InferenceSession};
