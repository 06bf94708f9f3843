"""Apple's Core AI models (`.aimodel`): the program read as text, and executed by the runtime of Apple's wheels."""
