import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "daypass/azure";
import { testScheme } from "../scheme-contract.ts";
import { ACCOUNT, CREDENTIALS, DELEGATION_KEY, ORIGIN, OTHER_KEY } from "./fixture.ts";

const origins = [ORIGIN];
const common = { signatureParameter: "sig", timeParameter: "se", futureSkew: 0, otherMethod: "PUT" } as const;

testScheme({
  ...common,
  scheme: "azure",
  sign: ({ at, expiresIn, method }) =>
    azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock: () => at }).sign({
      container: "media",
      blob: "talks/keynote.mp4",
      permissions: "r",
      method,
      notBefore: at,
      expiresIn,
    }),
  verifier: ({ now, key }) =>
    azureVerifier({
      credentials:
        key === "unknown"
          ? []
          : { account: ACCOUNT, accountKey: key === "foreign" ? OTHER_KEY : CREDENTIALS.accountKey },
      origins,
      clock: () => now,
    }),
  required: ["sv", "se", "sp", "sr", "sig"],
});

testScheme({
  ...common,
  scheme: "azure",
  sign: ({ at, expiresIn, method }) =>
    azureAccountSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock: () => at }).sign({
      resourceTypes: "o",
      container: "media",
      blob: "talks/keynote.mp4",
      permissions: "r",
      method,
      notBefore: at,
      expiresIn,
    }),
  verifier: ({ now, key }) =>
    azureAccountVerifier({
      credentials:
        key === "unknown"
          ? []
          : { account: ACCOUNT, accountKey: key === "foreign" ? OTHER_KEY : CREDENTIALS.accountKey },
      origins,
      clock: () => now,
    }),
  required: ["sv", "ss", "srt", "se", "sp", "sig"],
});

testScheme({
  ...common,
  scheme: "azure",
  sign: ({ at, expiresIn, method }) =>
    azureUserDelegationSigner({
      account: ACCOUNT,
      credentials: { userDelegationKey: DELEGATION_KEY },
      clock: () => at,
    }).sign({
      container: "media",
      blob: "talks/keynote.mp4",
      permissions: "r",
      method,
      notBefore: at,
      expiresIn,
    }),
  verifier: ({ now, key }) =>
    azureUserDelegationVerifier({
      credentials:
        key === "unknown"
          ? []
          : {
              account: ACCOUNT,
              userDelegationKey: { ...DELEGATION_KEY, ...(key === "foreign" ? { value: OTHER_KEY } : {}) },
            },
      origins,
      clock: () => now,
    }),
  required: ["sv", "se", "sp", "sr", "skoid", "sktid", "skt", "ske", "sks", "skv", "sig"],
});
