import { describe, expect, it } from "vitest";
import type { Verifier, WireRequest } from "../src/index.ts";
import { azureUserDelegationVerifier } from "../src/schemes/azure/index.ts";
import { bunnySigner, bunnyVerifier } from "../src/schemes/bunny/index.ts";
import { s3Signer, s3Verifier } from "../src/schemes/s3/index.ts";
import { swiftSigner, swiftVerifier } from "../src/schemes/swift/index.ts";
import { ACCOUNT, AT, DELEGATION_KEY } from "./azure/fixture.ts";
import { rawRequest } from "./azure/raw-sas.ts";
import { options } from "./azure/verifiers.ts";

const origins = ["https://media.example.com"];
const clock = (): Date => AT;
const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "example-secret" };
const swiftKey = { account: "AUTH_a", key: "example-key" };

/** What `await` takes for a promise and is none: `then` hands back something else than what the callback makes. */
const lazily = <T>(value: T, answer: "itself" | "nothing"): Promise<T> => {
  const lazy = {
    // biome-ignore lint/suspicious/noThenProperty: that of a query builder
    then(resolve: (value: T) => unknown, reject: (error: unknown) => unknown) {
      Promise.resolve()
        .then(() => resolve(value))
        .catch(reject);
      return answer === "itself" ? lazy : undefined;
    },
  };
  return lazy as never;
};

const received = (url: string): WireRequest => {
  const { host, pathname, search } = new URL(url);
  return { method: "GET", target: pathname + search, authority: host, headers: [["Host", host]] };
};

type Case = readonly [title: string, request: WireRequest, verifier: (later: <T>(found: T) => Promise<T>) => Verifier];
const cases: readonly Case[] = [
  [
    "credentials",
    received(
      s3Signer({ region: "auto", endpoint: origins[0], credentials, clock }).sign({
        bucket: "b",
        key: "k",
        expiresIn: 60,
      }).url,
    ),
    (later) => s3Verifier({ credentials: () => later(credentials), origins, clock }),
  ],
  [
    "secrets",
    received(bunnySigner({ secret: "example-secret", clock }).sign({ url: `${origins[0]}/a`, expiresIn: 60 }).url),
    (later) => bunnyVerifier({ secrets: () => later("example-secret"), origins, clock }),
  ],
  [
    "keys of an account",
    received(
      swiftSigner({ endpoint: origins[0] as string, ...swiftKey, clock }).sign({
        container: "c",
        object: "o",
        expiresIn: 60,
      }).url,
    ),
    (later) => swiftVerifier({ keys: () => later(swiftKey), origins, clock }),
  ],
  [
    "a user delegation key",
    rawRequest({ kind: "user-delegation" }),
    (later) =>
      azureUserDelegationVerifier({
        ...options,
        credentials: () => later({ account: ACCOUNT, userDelegationKey: DELEGATION_KEY }),
      }),
  ],
];

describe.each(cases)("%s that a query finds, which is no Promise", (_, request, verifierOf) => {
  it.each(["itself", "nothing"] as const)("are waited for where its then hands back %s", async (answer) => {
    const verifier = verifierOf((found) => lazily(found, answer));
    const grant = await verifier.verify(request);
    expect(grant.scheme).toBeTypeOf("string");
    const tampered = { ...request, target: request.target.replace(/^\/[^?]*/, "$&x") };
    await expect(verifier.verify(tampered)).rejects.toMatchObject({ code: "SIGNATURE_MISMATCH" });
  });
});
