/** Loaded before the program (`node --import`): nothing can be printed then, so that it fails deep in its own code. */
process.stdout.write = () => {
  throw new TypeError('No output');
};
