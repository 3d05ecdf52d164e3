import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { UseStore } from "daypass";
import { signedRoute } from "daypass/routes/node";
import { urlSigner, urlVerifier } from "daypass/url";
import { expect } from "vitest";

const key = { kty: "oct", alg: "HS256", kid: "k1", k: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } as const;

/** Opens a URL that has three uses twenty times at once, and another one once. */
export async function countsEachUseOnce(uses: UseStore): Promise<void> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const verifier = urlVerifier({ keys: [key], origins: [origin] });
  const ticket = signedRoute({ path: "/tickets/:id", signer: urlSigner({ key }), verifier, uses });
  server.on(
    "request",
    ticket.node((_grant, { id }, _req, res) => res.end(id)),
  );
  const [limited, other] = [3, 1].map((limit) => ticket.sign({ id: "7" }, { expiresIn: 60, uses: limit }).url);
  const heads = await fetch(limited ?? "", { method: "HEAD" });
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(limited ?? "")).status));
  const spent = (await (await fetch(limited ?? "")).json()) as unknown;
  const single = await fetch(other ?? "");
  server.closeAllConnections();
  server.close();
  expect(heads.status).toBe(200);
  expect(statuses.filter((status) => status === 200)).toHaveLength(3);
  expect(spent).toMatchObject({ code: "USES_SPENT" });
  expect(await single.text()).toBe("7");
}
