import type { Obligation } from "daypass";
import type { UrlGrant } from "daypass/url";

/** What a grant obliges its server to, of one kind. */
export function obligationOf<K extends Obligation["kind"]>(
  { obligations }: UrlGrant,
  kind: K,
): Extract<Obligation, { kind: K }> | undefined {
  return obligations.find((obligation): obligation is Extract<Obligation, { kind: K }> => obligation.kind === kind);
}
