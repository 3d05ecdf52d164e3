import { constantTimeEqual, type PreparedHmac } from "#crypto";
import type { KeyResolver, Proof, Scheme, Verifier } from "../../core/contracts.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../core/validity.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { azureStringToSign } from "./canonical.ts";
import { azureSignature, prepareKey } from "./credentials.ts";
import { enforcePermissions, enforceSender, notGranted } from "./enforce.ts";
import { type AzureGrant, azureGrant, azureObligations } from "./grant.ts";
import type { SasKind } from "./layouts.ts";
import { type AzureOperation, azureOperations, operationFinder } from "./operations.ts";
import { type ParsedSas, parseSas, type SasReader, sasKindOf } from "./parse.ts";
import { permittedMethods } from "./permissions.ts";

/** Options of every Azure verifier. */
export interface AzureVerifyOptions extends VerifierOptions {
  /** The account for origins that do not name one, e.g. a custom domain. */
  readonly account?: string | undefined;
  /**
   * The operations that are permitted, `azureOperations` by default: to get, put, list and delete blobs. `azureAllOperations`
   * has the rest.
   */
  readonly operations?: readonly AzureOperation[] | undefined;
  /** Longest remaining lifetime of a URL, in seconds. Azure itself has no maximum for account keys. */
  readonly maxLife?: number | undefined;
}

/** What sets one kind of SAS apart for its verifier. */
export interface SasRules {
  readonly kind: SasKind;
  readonly keys: KeyResolver<PreparedHmac>;
  /** Names the key, as `keys` knows it. */
  keyId(parsed: ParsedSas): string;
  readonly readBound?: SasReader["readBound"];
  /** Runs once the signature has matched, before anything else is looked at: adds what a stored policy says. */
  matched?(parsed: ParsedSas): Promise<void>;
  /** Refuses what is out of scope for this kind. */
  enforce(parsed: ParsedSas, proof: Proof): void;
}

const DUMMY_KEY: PreparedHmac = /* @__PURE__ */ prepareKey("AAAA");

/** Builds the verifier of one kind of SAS. */
export function sasVerifier(rules: SasRules, options: AzureVerifyOptions): Verifier<AzureGrant> {
  const { kind } = rules;
  const { operations = azureOperations, maxLife } = options;
  checkMaxLife(maxLife);
  const reader = { ...rules, account: options.account, findOperation: operationFinder(operations) };
  const scheme: Scheme<ParsedSas, PreparedHmac, AzureGrant> = {
    id: "azure",
    detect: (request) => sasKindOf(request) === kind.name,
    parse: (received) => parseSas(received, reader),
    keyId: rules.keyId,
    dummyKey: DUMMY_KEY,
    wildcards: true,
    async check(_received, parsed, key) {
      const stringToSign = azureStringToSign(kind, parsed.values);
      const matches = constantTimeEqual(azureSignature(key, stringToSign), parsed.values.sig ?? "");
      if (matches) await rules.matched?.(parsed);
      return { matches, stringToSign };
    },
    checkTime: ({ startsAt, endsAt }, now) => checkValidity(now, endsAt, startsAt),
    grant({ request, origin }, parsed, { now, proof, stringToSign }) {
      const { facts, values, startsAt, endsAt } = parsed;
      checkRemaining(now, endsAt, maxLife);
      rules.enforce(parsed, proof);
      enforcePermissions(parsed);
      enforceSender(values, origin, request.remoteAddress);
      return azureGrant(
        {
          scheme: "azure",
          keyId: values.skoid ?? facts.account,
          // Breaking a lease is a PUT that the letter for DELETE permits.
          methods: [...new Set([...permittedMethods(facts.permissions), request.method])],
          notBefore: startsAt,
          expiresAt: endsAt,
          obligations: azureObligations(parsed),
          target: request.target,
        },
        facts,
        stringToSign,
      );
    },
  };
  return verifier(scheme, rules.keys, options);
}

/** "A service SAS cannot grant access to certain operations": of a container it can list and search the blobs. */
export function enforceLevel({ operation: { name, level, permissions } }: ParsedSas): void {
  if (level !== "o" && !/^[lf]$/.test(permissions)) throw notGranted(name, "an account SAS");
}
