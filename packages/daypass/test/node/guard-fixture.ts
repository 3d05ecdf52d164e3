import { createServer, type RequestListener, type ServerOptions } from "node:http";
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import { DaypassError, type Obligation, type Verifier } from "../../src/index.ts";
import { s3Signer, s3Verifier } from "../../src/schemes/s3/index.ts";

export const AT = new Date("2026-01-02T03:04:05Z");
export const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };
export const endpoint = "http://files.example.com";

export function link(key: string, method = "GET"): { target: string; headers: Readonly<Record<string, string>> } {
  const signer = s3Signer({ region: "auto", endpoint, credentials, clock: () => AT });
  const signed = signer.sign({ bucket: "b", key, method, expiresIn: 60, dotSegments: "sign" });
  return { target: signed.url.slice(endpoint.length), headers: signed.headers };
}

export const verifierAt = (now: Date): Verifier => s3Verifier({ credentials, origins: [endpoint], clock: () => now });
export const verifier = verifierAt(AT);

/** Grants everything, with the obligations given: what a guard does with them does not depend on a scheme. */
export function granting(obligations: readonly Obligation[], target: (raw: string) => string = (raw) => raw): Verifier {
  return {
    detects: () => true,
    verify: async (request) => {
      const grant = await verifier.verify({ ...request, method: "GET", target: link("a.txt").target });
      const { scheme, id, keyId, methods, notBefore, expiresAt } = grant;
      const limitBody = (body: AsyncIterable<Uint8Array>) => atMost(body, 4);
      return {
        scheme,
        id,
        keyId,
        methods,
        notBefore,
        expiresAt,
        obligations,
        target: target(request.target),
        limitBody,
      };
    },
  };
}

async function* atMost(body: AsyncIterable<Uint8Array>, max: number): AsyncGenerator<Uint8Array> {
  let received = 0;
  for await (const chunk of body) {
    received += chunk.length;
    if (received > max) throw new DaypassError("BODY_LENGTH", "expected fewer bytes");
    yield chunk;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends bytes as they are: a client with a URL parser would mend what these tests need broken. */
export async function send(listener: RequestListener, head: string, options: ServerOptions = {}): Promise<Answer> {
  const server = createServer(options, listener);
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(head));
    socket.setEncoding("utf8").on("data", (data) => {
      text += data;
    });
    socket.on("error", reject).on("end", () => resolve(text));
  });
  const end = answer.indexOf("\r\n\r\n");
  return { status: Number(answer.slice(9, 12)), headers: answer.slice(0, end), body: answer.slice(end + 4) };
}

export const get = (target: string, method = "GET"): string =>
  `${method} ${target} HTTP/1.1\r\nHost: files.example.com\r\nConnection: close\r\n\r\n`;

export const problemOf = (answer: Answer): unknown => ({ status: answer.status, code: JSON.parse(answer.body).code });
