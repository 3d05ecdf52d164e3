import { createHmac, randomBytes } from "node:crypto";
import { s3Signer, s3Verifier } from "daypass/s3";
import { expect, it } from "vitest";
import { type Session, sessions } from "../../src/pipeline/sessions.ts";
import { withSessions } from "../../src/protocols/s3/verifiers.ts";

const parent = { accessKeyId: "AKIDPARENT", secretAccessKey: "the secret of the parent" };
const endpoint = "https://media.example.com";

/** Sessions, and how often a request of one costs the MAC of its token, which is what is kept of it. */
function counted() {
  let macs = 0;
  const mac = (text: string): Uint8Array => {
    macs += 1;
    return createHmac("sha256", "the gateway's own").update(text).digest();
  };
  const { issue, ...others } = sessions(mac, (length) => randomBytes(length));
  const verifier = withSessions((credentials) => s3Verifier({ credentials, origins: [endpoint] }), {
    keys: () => undefined,
    sessions: { issue, ...others },
    found: new WeakMap(),
  });
  const begin = () => issue({ parent, scope: {}, expiration: new Date(Date.now() + 3_600_000) });
  const ask = async (credentials: Session): Promise<boolean> => {
    const signer = s3Signer({ region: "us-east-1", endpoint, credentials });
    const { url } = signer.sign({ bucket: "media", key: "a", expiresIn: 60 });
    const { host, pathname, search } = new URL(url);
    const before = macs;
    await verifier.verify({ method: "GET", target: pathname + search, authority: host, headers: [] });
    return macs > before;
  };
  return { begin, ask };
}

it("remembers a limited number of session tokens", async () => {
  const { begin, ask } = counted();
  const first = begin();
  expect([await ask(first), await ask(first)]).toEqual([true, false]);
  for (let i = 1; i < 256; i++) await ask(begin());
  expect(await ask(first)).toBe(false);
  expect([await ask(begin()), await ask(first)]).toEqual([true, true]);
});
