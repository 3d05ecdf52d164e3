import { headerRecord, type SentParts } from "./sent-parts.ts";

/** What HTTP/2 has in the place of the request line, as Chrome copies it. */
const PSEUDO = /^(?:authority|method|path|scheme)$/;

/** The request of PowerShell's `Invoke-WebRequest` or `Invoke-RestMethod`, as Chrome copies it and as people write it. */
export function powershellRequest(text: string): SentParts | undefined {
  const call = /\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b[\s\S]*/i.exec(text)?.[0];
  if (call === undefined) return undefined;
  const option = (name: string): string | undefined =>
    new RegExp(`\\s-${name}[ :]+(?:"((?:[^"\`]|\`.)*)"|'([^']*)'|([\\w/+.-]+))`, "i")
      .exec(call)
      ?.slice(1)
      .find(Boolean);
  const method = (option("Method") ?? "GET").toUpperCase();
  const [, inside] = /\s-Headers[ :]+@\{([\s\S]*?)\n?\}(?=[\s`]*(?:-|\n|$))/i.exec(call) ?? [];
  // A variable tells nothing.
  if (inside === undefined && /\s-Headers[ :]+\$/i.test(call)) return { method };
  const pairs = [...(inside ?? "").matchAll(PAIR)].map(([, a, b, c, value = "", other = ""]) => {
    return [a ?? b ?? c ?? "", (value || other).replace(/`(.)/g, "$1")] as const;
  });
  const agent = /\.UserAgent\s*=\s*"([^"]*)"/.exec(text)?.[1];
  const cookies = [...text.matchAll(/Net\.Cookie\("([^"]*)",\s*"([^"]*)"/g)].map(
    ([, name, value]) => `${name}=${value}`,
  );
  const type = option("ContentType") ?? (method === "POST" ? "application/x-www-form-urlencoded" : undefined);
  return {
    method,
    headers: headerRecord([
      ...pairs.filter(([name]) => !PSEUDO.test(name)),
      ...(agent === undefined ? [] : [["user-agent", agent] as const]),
      ...(cookies.length === 0 ? [] : [["cookie", cookies.join("; ")] as const]),
      ...(type === undefined ? [] : [["content-type", type.replace(/`(.)/g, "$1")] as const]),
    ]),
  };
}

const PAIR = /(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*=\s*(?:"((?:[^"`]|`.)*)"|'([^']*)')/g;
