import { isDaypassError } from "daypass";
import { azureSigner, azureUserDelegationSigner } from "daypass/azure";
import { ACCOUNT, AT, CREDENTIALS, DELEGATION_KEY } from "./fixture.ts";

export const clock = () => AT;
export const azure = azureSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock });
export const delegation = azureUserDelegationSigner({
  account: ACCOUNT,
  credentials: { userDelegationKey: DELEGATION_KEY },
  clock,
});
export const wish = { container: "media", blob: "a.txt", permissions: "r", expiresIn: 900 };
export const parameters = (url: string) => new URL(url).searchParams;

export function code(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isDaypassError(error)) return error.code;
    throw error;
  }
  return "nothing";
}
