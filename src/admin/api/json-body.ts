/** The JSON of a body, in which each key stands once. */

/** The value, or what is wrong, in a sentence. */
export type JsonBody = { readonly value: unknown } | { readonly mistake: string };

export function jsonIn(body: Buffer): JsonBody {
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { mistake: `Expected a JSON object, found ${text.trim() === '' ? 'nothing' : 'no JSON'}` };
  }
  const key = repeatedKey(text);
  return key === undefined ? { value } : { mistake: `Expected each key once, found ${key} twice` };
}

/**
 * The first key, with its quotes, that an object has twice: JSON.parse would take the last. A text that is JSON has
 * colons behind keys alone.
 */
function repeatedKey(json: string): string | undefined {
  /** What is open at this place: the keys of an object, or nothing of a list. */
  const open: (Set<string> | undefined)[] = [];
  for (const [token, text, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*(:)?|[{}[\]]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (text !== undefined && colon !== undefined) {
      const key: unknown = JSON.parse(text);
      const keys = open.at(-1);
      if (keys?.has(String(key))) return text;
      keys?.add(String(key));
    }
  }
  return undefined;
}
