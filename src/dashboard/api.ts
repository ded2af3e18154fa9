/** Asks the admin API. The token is kept for as long as the tab is open, and nowhere else. */
const tokenKey = 'sluice-token';

export const token = {
  get: (): string | null => sessionStorage.getItem(tokenKey),
  set: (value: string): void => sessionStorage.setItem(tokenKey, value),
  forget: (): void => sessionStorage.removeItem(tokenKey),
};

/** What was answered in place of what was asked for; `status` is 0 where nothing was. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Rejects with a Refusal, also where the proxy can't be reached. */
export async function ask(
  path: string,
  { method = 'GET', body, signal }: { method?: string; body?: object; signal?: AbortSignal } = {},
): Promise<Response> {
  const held = token.get();
  const headers = {
    ...(held !== null && { authorization: `Bearer ${latin1(held)}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }), ...(signal && { signal }) };
  const response = await fetch(`/api/v1/${path}`, init).catch(() => {
    throw new Refusal(
      0,
      'The proxy did not answer. Nothing is known to have changed; look again once it is back',
    );
  });
  if (!response.ok) throw new Refusal(response.status, await messageOf(response));
  return response;
}

export async function json<T>(path: string, options?: Parameters<typeof ask>[1]): Promise<T> {
  return (await (await ask(path, options)).json()) as T; // The API of the same version.
}

/** A header can't hold other characters: the bytes of UTF-8, which is what the API compares. */
function latin1(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

interface Problem {
  readonly error?: string;
  readonly errors?: readonly { readonly path?: string; readonly line?: number; readonly message: string }[];
}

async function messageOf(response: Response): Promise<string> {
  const { error, errors } = (await response.json().catch(() => ({}))) as Problem; // Whatever comes, only texts are shown.
  const lines = errors?.map(({ path, line, message }) =>
    [line === undefined ? path : `line ${line}: ${path ?? ''}`, message].filter(Boolean).join(' — '),
  );
  return error ?? lines?.join('\n') ?? `The proxy answered ${response.status}`;
}

export function problemText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function pathOf(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join('/');
}
