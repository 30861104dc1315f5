/** The REST transport: each request a POST to the Jupyter server. It needs no kernel. */
import { refusal, type Answer } from "./answer";
import { StoreError, type Request } from "./store";

const SILENT = new StoreError(
  "The Jupyter server does not answer.",
  "It may be busy, stopped or out of reach. Runs go on without it.",
  true,
);
const STRANGER = new StoreError(
  "The Jupyter server does not know you any more.",
  "Reload this page and log in.",
  true,
);

/**
 * A request function over `<base>raylm/api/`; the base address ends with a slash. `storage` tells the one to look
 * in, of those that the server lists; "" for all.
 */
export function restTransport(baseUrl: string, storage: () => string = () => ""): Request {
  return async (method, args, timeoutSeconds) => {
    const wanted = storage();
    const query = wanted ? `?${new URLSearchParams({ storage: wanted })}` : "";
    const response = await send(`${baseUrl}raylm/api/${method}${query}`, args, timeoutSeconds);
    if (response.status === 403) throw STRANGER;
    const answer = await read(response);
    if (answer.error) throw refusal(answer.error);
    return answer.result;
  };
}

async function send(url: string, args: Record<string, unknown>, timeoutSeconds: number): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-XSRFToken": cookie("_xsrf") },
      body: JSON.stringify(args),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(timeoutSeconds * 1000),
    });
  } catch {
    throw SILENT; // no connection, or none in time
  }
}

/** An answer that is none of the store's comes from a proxy whose server is gone, or from a defect. */
async function read(response: Response): Promise<Answer> {
  let answer: Answer | null = null;
  try {
    answer = (await response.json()) as Answer;
  } catch {
    throw SILENT;
  }
  if (answer && ("result" in answer || answer.error)) return answer;
  throw new StoreError(`The Jupyter server answered with status ${response.status}.`, SILENT.mend, true);
}

function cookie(name: string): string {
  const parts = document.cookie.split("; ").map((part) => part.split("="));
  return parts.find(([key]) => key === name)?.[1] ?? "";
}
