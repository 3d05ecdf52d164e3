import {
  type GcsFormGrant,
  gcsFormSigner,
  gcsFormVerifier,
  gcsHmacFormSigner,
  gcsHmacFormVerifier,
} from "daypass/gcs/form";
import { testForms } from "../form-contract.ts";
import { account, foreignKey, hmacKey, publicAccount } from "../gcs/account.ts";

const common = {
  scheme: "gcs/form",
  required: ["x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-signature"],
  signatureField: "x-goog-signature",
  keyOf: (grant: unknown) => (grant as GcsFormGrant).object,
} as const;
const contentLength = { min: 1, max: 1000 };

testForms({
  ...common,
  sign: ({ at, key: object, ...request }) =>
    gcsFormSigner({ credentials: account, clock: () => at }).sign({ ...request, object, contentLength }),
  verifier: ({ now, key, enforces }) =>
    gcsFormVerifier({
      keys: {
        right: publicAccount,
        foreign: { ...publicAccount, public_key: foreignKey },
        unknown: { ...publicAccount, client_email: "other@example.com" },
      }[key],
      enforces,
      clock: () => now,
    }),
});

testForms({
  ...common,
  sign: ({ at, key: object, ...request }) =>
    gcsHmacFormSigner({ credentials: hmacKey, clock: () => at }).sign({ ...request, object, contentLength }),
  verifier: ({ now, key, enforces }) =>
    gcsHmacFormVerifier({
      keys: {
        right: hmacKey,
        foreign: { ...hmacKey, secretAccessKey: "another" },
        unknown: { ...hmacKey, accessKeyId: "GOOG1OTHER" },
      }[key],
      enforces,
      clock: () => now,
    }),
});
