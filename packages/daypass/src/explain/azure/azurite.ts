import type { ServerError } from "../error-body.ts";
import type { Cause } from "../explanation.ts";
import type { AzureUrl } from "./facts.ts";

/** The account of the emulator, whose key everybody knows. */
const AZURITE_ACCOUNT = "devstoreaccount1";
/** As its README has it. */
export const AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** Whether a URL is one of the emulator's. */
export function isAzurite({ location }: AzureUrl): boolean {
  return location?.account === AZURITE_ACCOUNT;
}

/** Azurite says so of a signature that does not fit; Azure has other words under this code, and another meaning. */
export function isAzuritesRefusal({ code, message }: ServerError): boolean {
  return code === "AuthorizationFailure" && /value of the Authorization header/i.test(message);
}

/** Signed with a key, and not with the one that the emulator has unless it is given others. */
export const OTHER_THAN_THE_EMULATORS: Cause = {
  code: "WRONG_SECRET",
  sentence: `The signature is right for the given key, but that is not the well-known key of ${AZURITE_ACCOUNT}, which the emulator uses unless AZURITE_ACCOUNTS sets another.`,
  evidence: [],
  fix: "Sign with the emulator's own key, or start it with the given one in AZURITE_ACCOUNTS.",
};

/** The emulator refuses what is right. */
export function olderEmulator({ values }: AzureUrl): Cause {
  return {
    code: "VERSION",
    sentence: `The signature is right for the emulator's key: this Azurite is older than the signed version sv=${values.get("sv")}, and signs different fields for it.`,
    evidence: [],
    fix: "Update Azurite; or sign for an older version of the service (version: …), with an older SDK.",
  };
}
