import { expect, test } from "vitest";
import type { Grant } from "../../src/core/contracts.ts";
import {
  type AzureGrant,
  azureAccountVerifier,
  azureUserDelegationVerifier,
  azureVerifier,
} from "../../src/schemes/azure/index.ts";
import { ACCOUNT, CREDENTIALS, DELEGATION_KEY } from "../azure/fixture.ts";
import {
  AZURE_ORIGINS,
  azureAccountBases,
  azureBases,
  azureDelegationBases,
  isForMany,
  isTime,
  judgeAzure,
} from "./azure.ts";
import { NOW } from "./bases.ts";
import { tamperCount } from "./seeded.ts";
import { tamper } from "./tamper.ts";

const options = {
  credentials: { account: ACCOUNT, ...CREDENTIALS },
  origins: AZURE_ORIGINS,
  enforces: ["response", "create-only", "encryption-scope"],
  clock: () => NOW,
} as const;
const policies = () => ({ expiresOn: new Date(NOW.getTime() + 900_000), permissions: "r" });
const delegated = { account: ACCOUNT, userDelegationKey: DELEGATION_KEY };

test.each([
  { name: "azure", bases: azureBases(), verifier: azureVerifier({ ...options, policies }) },
  { name: "azure, account", bases: azureAccountBases(), verifier: azureAccountVerifier(options) },
  {
    name: "azure, user delegation",
    bases: azureDelegationBases(),
    verifier: azureUserDelegationVerifier({ ...options, credentials: delegated }),
  },
] as const)(
  "no tampered URL of $name is accepted, and a re-spelled one gives the same grant or none",
  async (suite) => {
    const count = tamperCount(suite.name);
    const report = await tamper({ ...suite, count, judge: judgeAzure, facts });
    expect(report.wrong.slice(0, 5)).toEqual([]);
    expect(report.thrown.slice(0, 5)).toEqual([]);
    expect(report.tampered).toBeGreaterThanOrEqual(count);
  },
  600_000,
);

/** What the holder may choose (which blob of a container, which snapshot of it) differs in the grant, as it should. */
function facts(grant: Grant): unknown {
  const { target, limitBody: _, parameters, blob, container, ...rest } = grant as AzureGrant;
  const isAccount = rest.kind === "account";
  const isOpen = isAccount || isForMany(target);
  return {
    ...rest,
    id: grant.id,
    parameters: parameters
      .filter(([name]) => !isOpen || !isTime(name))
      .map((pair) => JSON.stringify(pair))
      .sort(),
    container: isAccount ? "" : container,
    blob: isOpen ? "" : blob,
  };
}
