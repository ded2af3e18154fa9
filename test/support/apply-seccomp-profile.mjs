/**
 * Loaded before the program (`node --import`): from then on the process is under the Docker seccomp profile that
 * `SLUICE_TEST_PROFILE` names, as a container runtime would apply it with libseccomp (seccomp(3)).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const actions = { SCMP_ACT_ALLOW: 0x7fff_0000, SCMP_ACT_ERRNO: 0x0005_0000 };
const comparisons = { SCMP_CMP_EQ: 4, SCMP_CMP_MASKED_EQ: 7 };
/** Also for the threads that are there already. */
const synchronise = 4;

if (isMainThread) apply(JSON.parse(readFileSync(process.env.SLUICE_TEST_PROFILE, 'utf8')));

function apply(profile) {
  const library = createRequire(import.meta.url)('koffi').load('libseccomp.so.2');
  const init = library.func('seccomp_init', 'void *', ['uint32']);
  const attribute = library.func('seccomp_attr_set', 'int', ['void *', 'uint32', 'uint32']);
  const resolve = library.func('seccomp_syscall_resolve_name', 'int', ['str']);
  const add = library.func('seccomp_rule_add_array', 'int', ['void *', 'uint32', 'int', 'uint32', 'void *']);
  const load = library.func('seccomp_load', 'int', ['void *']);

  const filter = init(actions[profile.defaultAction] | profile.defaultErrnoRet);
  check('seccomp_attr_set', attribute(filter, synchronise, 1));
  for (const { names, action, errnoRet = 0, args = [] } of profile.syscalls) {
    for (const name of names) {
      const number = resolve(name);
      // Runtimes leave out what their library or the architecture does not know.
      if (number >= 0)
        check(name, add(filter, actions[action] | errnoRet, number, args.length, encoded(args)));
    }
  }
  check('seccomp_load', load(filter));
}

/** struct scmp_arg_cmp, one after the other: argument, comparison, and two numbers of 64 bits. */
function encoded(args) {
  const bytes = new DataView(new ArrayBuffer(24 * args.length));
  args.forEach(({ index, op, value, valueTwo = 0 }, place) => {
    bytes.setUint32(24 * place, index, true);
    bytes.setUint32(24 * place + 4, comparisons[op], true);
    bytes.setBigUint64(24 * place + 8, BigInt(value), true);
    bytes.setBigUint64(24 * place + 16, BigInt(valueTwo), true);
  });
  return new Uint8Array(bytes.buffer);
}

function check(what, result) {
  if (result !== 0) throw new Error(`${what}: ${result}`);
}
