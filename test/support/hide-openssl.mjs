/** Loaded before the program (`node --import`): from then on Node's OpenSSL can't be found in its process. */
import koffi from 'koffi';

const { load } = koffi;
koffi.load = (...args) => {
  const library = load(...args);
  return {
    func: (declaration, ...rest) => {
      if (declaration.includes(' SSL_new('))
        throw new Error("Cannot find function 'SSL_new' in shared library");
      return library.func(declaration, ...rest);
    },
  };
};
