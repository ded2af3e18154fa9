/**
 * Lines that stand further in or further out than they should, by the names that they have: a key where the name of a
 * listener or pool should be, and a listener or pool beside its section.
 */
import { type ConfigDocument, isContainer, valueAt } from './document.ts';
import type { JsonSchema } from './options/json-schema.ts';

/** Reports those lines, and returns whether there are any: what else is wrong then follows from them. */
export function reportMisplaced(document: ConfigDocument, root: JsonSchema): boolean {
  const reports = [...sectionsOf(root)].map(([section, entry]) => [
    ...tooFarIn(document, root, section, entry),
    ...tooFarOut(document, root, section, entry),
  ]);
  const found = reports.flat();
  for (const { path, message } of found) document.problem(path, message, 'key');
  return found.length > 0;
}

interface Misplaced {
  readonly path: readonly string[];
  readonly message: string;
}

/** The sections whose keys are names, each with the schema of what has such a name. */
function* sectionsOf(root: JsonSchema): Iterable<readonly [section: string, entry: JsonSchema]> {
  for (const [section, { patternProperties = {} }] of Object.entries(root.properties ?? {})) {
    const [entry] = Object.values(patternProperties);
    if (entry !== undefined) yield [section, entry];
  }
}

/** Keys in a section that are one of its entries' or of the file, and have nothing of an entry. */
function tooFarIn(
  { value }: ConfigDocument,
  root: JsonSchema,
  section: string,
  entry: JsonSchema,
): readonly Misplaced[] {
  const names = valueAt(value, [section]);
  if (!isContainer(names) || Array.isArray(names)) return [];
  return Object.keys(names).flatMap((name) => {
    if (isEntry(names[name], entry)) return [];
    const path = [section, name];
    if (isKeyOf(root, name) && valueAt(value, [name]) === undefined) {
      return [
        {
          path,
          message: `Expected a name, found the key "${name}" of the file; begin it at the left margin`,
        },
      ];
    }
    if (!isKeyOf(entry, name)) return [];
    return [
      {
        path,
        message: `Expected a name, found the key "${name}"; indent it below the name that it belongs to`,
      },
    ];
  });
}

/** Entries beside an empty section that has none. */
function tooFarOut(
  { value }: ConfigDocument,
  root: JsonSchema,
  section: string,
  entry: JsonSchema,
): readonly Misplaced[] {
  if (!isContainer(value) || value[section] !== null) return [];
  return Object.keys(value)
    .filter((key) => !isKeyOf(root, key) && isEntry(value[key], entry))
    .map((key) => ({
      path: [key],
      message: `Unknown key ${JSON.stringify(key.slice(0, 60))}; indent it to have it in "${section}"`,
    }));
}

function isKeyOf({ properties = {} }: JsonSchema, key: string): boolean {
  return Object.hasOwn(properties, key);
}

/** Whether a value is a mapping that has what each entry has. */
function isEntry(value: unknown, { required = [] }: JsonSchema): boolean {
  return isContainer(value) && required.every((key) => key in value);
}
