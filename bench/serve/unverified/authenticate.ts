/**
 * The gateway's step `authenticate` with nothing in it: each request is given a grant for the path that it names. The signature
 * is not looked at, the query is not parsed, nothing is hashed. Only for measuring what verification costs.
 */
import type { Grant, Verifier, WireRequest } from "daypass";

interface Received {
  readonly request: WireRequest;
}

interface Protocol {
  readonly dialect: string;
  readonly verifiers: readonly Verifier[];
}

interface BareGrant extends Grant {
  readonly bucket: string;
  readonly key: string;
  readonly parameters: readonly [];
  readonly signedHeaders: readonly string[];
}

const KEY_ID = /X-Amz-Credential=([^%&/]+)/;
const LIFE_MS = 3_600_000;

/** Called by the gateway in the place of the step that it replaces. */
export function authenticator({ protocols }: { readonly protocols: readonly Protocol[] }): object {
  const protocol = protocols.find(({ dialect }) => dialect === "s3");
  const methods = ["GET", "HEAD", "PUT"];
  const signedHeaders = ["host"];
  let keyId: string | undefined;

  return {
    recognise: () => protocol,
    async authenticate(received: Received) {
      const { target } = received.request;
      keyId ??= KEY_ID.exec(target)?.[1] ?? "";
      const slash = target.indexOf("/", 1);
      const mark = target.indexOf("?");
      const now = Date.now();
      const grant: BareGrant = {
        scheme: "s3",
        id: "AAAAAAAAAAAAAAAAAAAAAA",
        keyId,
        methods,
        notBefore: new Date(now),
        expiresAt: new Date(now + LIFE_MS),
        obligations: [],
        target,
        bucket: target.slice(1, slash),
        key: target.slice(slash + 1, mark < 0 ? undefined : mark),
        parameters: [],
        signedHeaders,
        limitBody: (body) => body,
      };
      return { received, protocol, grant };
    },
  };
}
