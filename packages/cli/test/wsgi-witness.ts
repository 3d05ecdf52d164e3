import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The value of every forged header. No app may receive it under any name. */
const FORGED = "forged";

/** Names that an app believes, because only a proxy or a form of the app writes them. */
const BELIEVED = [
  ...["Daypass-Subject", "Daypass-Grant", "Daypass-Key"],
  ...["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"],
  "X-Forwarded-For",
];

/** Each way to write another character for some hyphens of a name. WSGI reads `_` as `-`; CGI and PHP read further characters so. */
function spellings(name: string): readonly string[] {
  const parts = name.split("-");
  const all = Array.from({ length: 2 ** (parts.length - 1) }, (_, mask) =>
    parts.reduce((joined, part, i) => `${joined}${(mask >> (i - 1)) & 1 ? "_" : "-"}${part}`),
  );
  return [...all, name.toLowerCase(), name.toUpperCase().replaceAll("-", "_"), name.replaceAll("-", ".")];
}

/** What a client may write into `Connection`, so that a proxy removes these headers. */
const CONNECTIONS: readonly (readonly string[])[] = [
  ["Daypass-Subject, Daypass-Grant"],
  ["daypass-subject,DAYPASS-GRANT"],
  ["close, Daypass-Subject, Daypass-Grant"],
  ["keep-alive,\tDaypass-Grant ,, \tDaypass-Subject\t"],
  ["close", "Daypass-Subject", "daypass-grant"],
  ["Upgrade, Daypass-Subject, Daypass-Grant"],
  ["Cookie, Daypass-Grant"],
  ["Host, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Uri, X-Forwarded-Method, X-Real-IP"],
  ["X-Original-URI, X-Original-Method, X-Original-Host, Daypass-Subject"],
];

/** Forged headers, alternating names and values, each behind a title. */
export const TRICKS: readonly (readonly [title: string, ...headers: string[]])[] = [
  ["nothing forged"],
  ...BELIEVED.flatMap(spellings).map((name): [string, string, string] => [name, name, FORGED]),
  ["an empty value behind another spelling", "Daypass_Subject", "", "Daypass_Grant", ""],
  ["a repeated name", "Daypass-Subject", FORGED, "daypass-subject", FORGED, "Daypass_Subject", FORGED],
  ...CONNECTIONS.map((values): [string, ...string[]] => [
    `Connection: ${JSON.stringify(values)}`,
    ...values.flatMap((value) => ["Connection", value]),
  ]),
  ["Proxy-Connection", "Proxy-Connection", "Daypass-Subject, Daypass-Grant"],
  ["Keep-Alive", "Keep-Alive", "Daypass-Subject, Daypass-Grant"],
  ["Connection with a forged name", "Connection", "Daypass-Grant, Daypass_Subject", "Daypass_Subject", FORGED],
];

/** Starts the application until the end of the test, and returns its port. */
export async function startWitness(): Promise<number> {
  const script = fileURLToPath(new URL("./wsgi-witness.py", import.meta.url));
  const python = spawn("/usr/bin/python3", [script, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void python.kill("SIGTERM"));
  const [port] = await once(python.stdout, "data");
  return Number(port);
}

/** What the application received, if the request reached it. */
export interface Received {
  readonly status: number;
  /** Whether it received a forged value under any name. */
  readonly forged: boolean;
  /** The names of Daypass. */
  readonly identity: readonly string[];
  readonly subject: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** One request over its own connection. */
export async function askWitness(
  port: number,
  path: string,
  headers: readonly string[],
  localAddress = "127.0.0.1",
): Promise<Received> {
  const asked = request({ host: "127.0.0.1", port, path, headers, localAddress, agent: false });
  asked.end();
  const [response] = await once(asked, "response");
  const body = await text(response);
  const environment: Record<string, string> = {};
  if (response.statusCode === 200) {
    for (const [name, value] of Object.entries<string>(JSON.parse(body))) environment[name.replace(/\W/g, "_")] = value;
  }
  const names = Object.keys(environment);
  return {
    status: response.statusCode,
    forged:
      Object.values(environment).some((value) => value.includes(FORGED)) ||
      /daypass/i.test(environment["HTTP_CONNECTION"] ?? ""),
    identity: names.filter((name) => name.startsWith("HTTP_DAYPASS")),
    subject: environment["HTTP_DAYPASS_SUBJECT"],
    environment,
  };
}
