import { isDaypassError, type SignedRequest, type Verifier } from "../../src/index.ts";
import {
  azureAccountSigner,
  azureAccountVerifier,
  azureSigner,
  azureUserDelegationSigner,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../../src/schemes/azure/index.ts";
import type { Case } from "./cases.ts";

const account = "myaccount";
const accountKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
const userDelegationKey = {
  signedObjectId: "11111111-1111-1111-1111-111111111111",
  signedTenantId: "22222222-2222-2222-2222-222222222222",
  signedStartsOn: "2026-01-02T00:00:00.000Z",
  signedExpiresOn: "2026-01-03T00:00:00.000Z",
  signedService: "b",
  signedVersion: "2022-11-02",
  value: "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
};
const origin = `https://${account}.blob.core.windows.net`;
const options = {
  ...{ account, credentials: { accountKey }, version: "2026-04-06" },
  clock: () => new Date("2026-01-02T03:04:05Z"),
};
const accepting = { credentials: { account, accountKey }, origins: [origin], clock: options.clock };
const blob = { container: "media", blob: "talks/key note+1%.mp4", permissions: "racwd", expiresIn: 3600 };
const life = { notBefore: new Date("2026-01-02T03:04:05Z"), expiresIn: 3600 };

/** What a verifier says of a download, and of one of another blob. */
async function answers(verifier: Verifier, { url }: SignedRequest): Promise<readonly string[]> {
  const ask = (target: string): Promise<string> =>
    verifier
      .verify({ method: "GET", target, authority: origin.slice(8), headers: [], remoteAddress: "203.0.113.9" })
      .then(
        () => "accepted",
        (error: unknown) => (isDaypassError(error) ? error.code : String(error)),
      );
  const target = url.slice(origin.length);
  return [await ask(target), await ask(target.replace("/talks/", "/tacks/"))];
}

const signatureOf = ({ url }: SignedRequest): string => url.replace(/^.*&sig=/, "");

/** Azure SAS wherever the library runs. The signatures are those of Azure's SDK in test/vectors/azure. */
export const azureCases: readonly Case[] = [
  {
    name: "signs and verifies a service SAS",
    async run() {
      const link = azureSigner({ ...options, version: undefined }).sign(blob);
      return [signatureOf(link), ...(await answers(azureVerifier(accepting), link))];
    },
    expected: ["zyTuELFSnq%2BL7rzzoVWHKigEH4IWeQzmgGRDSRadMj4%3D", "accepted", "SIGNATURE_MISMATCH"],
  },
  {
    name: "signs and verifies a user delegation SAS",
    async run() {
      const link = azureUserDelegationSigner({ ...options, credentials: { userDelegationKey } }).sign(blob);
      const verifier = azureUserDelegationVerifier({ ...accepting, credentials: { account, userDelegationKey } });
      return [signatureOf(link), ...(await answers(verifier, link))];
    },
    expected: ["ITyUtxSe94TI3PvTp%2Br5ko9FSKVgDCW3fyRPGhraPVY%3D", "accepted", "SIGNATURE_MISMATCH"],
  },
  {
    name: "signs and verifies an account SAS, which opens any blob",
    async run() {
      const link = azureAccountSigner(options).sign({
        ...{ ...blob, ...life, permissions: "rwdxftlacupiy", resourceTypes: "o", encryptionScope: "scope-1" },
        ...{ bind: { ip: "203.0.113.0/24" }, protocol: "https" },
      });
      return [signatureOf(link), ...(await answers(azureAccountVerifier(accepting), link))];
    },
    expected: ["4LL%2FfwgNxp%2Ff14FbcOoM85eyncc29JiBM6b9y7VlcWs%3D", "accepted", "accepted"],
  },
  {
    name: "refuses to sign half of a surrogate pair in a blob's name",
    run() {
      try {
        return azureSigner(options).sign({ ...blob, blob: "\ud834" }).url;
      } catch (error) {
        return isDaypassError(error) ? error.code : String(error);
      }
    },
    expected: "INVALID_INPUT",
  },
];
