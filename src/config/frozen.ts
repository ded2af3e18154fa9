/**
 * The same value, which from now on nobody can change, to its last leaf. For plain objects and arrays; typed
 * arrays, which cannot be frozen, are left alone.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
