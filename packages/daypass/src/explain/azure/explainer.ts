import { sasKindOf } from "../../schemes/azure/parse.ts";
import { ACCOUNT, DELEGATION, permittedMethods } from "../../schemes/azure/sas.ts";
import type { Explained, Explainer, Subject } from "../explainer.ts";
import type { MustSend } from "../explanation.ts";
import { spellings } from "../secrets.ts";
import { urlTraps } from "../traps.ts";
import { diagnoseAzure, emptyInput, KINDS } from "./diagnosis.ts";
import { type AzureUrl, azureResource, azureTraps, readAzure } from "./facts.ts";
import { inputText } from "./variants.ts";

/** Azure Blob Storage URLs with a shared access signature of any kind. */
export const azureExplainer: Explainer = {
  detects: (request) => sasKindOf(request) !== undefined,
  explain: explainAzure,
};

function explainAzure(subject: Subject): Explained {
  const url = readAzure(subject.url, subject);
  const sent = subject.sentUrl === subject.url ? url : readAzure(subject.sentUrl, subject);
  const { kind, values, startsAt, endsAt, signature, location } = url;
  const letters = values.get("sp") ?? "";
  const resource = azureResource(url);
  const { cause, hypotheses, keyFits } = diagnoseAzure(subject, url, sent);
  const policy = values.get("si");
  const untold = policy === undefined ? ", without an end that can be read" : ", until its stored policy ends";
  const end = endsAt === undefined ? untold : `, valid until ${endsAt.toISOString()}`;
  const permissions = letters || (policy === undefined ? "not told" : "of its stored policy");
  return {
    explanation: {
      scheme: "azure",
      summary: `An Azure ${KINDS[kind.name]} (sv ${values.get("sv")}) for ${resource}, permissions ${permissions}${end}.`,
      signedBy: kind === DELEGATION ? (values.get("skoid") ?? "") : (location?.account ?? ""),
      grants: { methods: letters === "" ? undefined : permittedMethods(letters), resource },
      binds: bound(url),
      leavesOpen: open(url),
      startsAt,
      endsAt,
      mayEndEarlier:
        policy === undefined
          ? kind === DELEGATION
            ? "when the account's user delegation keys are revoked, or their owner loses the role"
            : "when the account key that signed it is regenerated"
          : `when the stored access policy ${JSON.stringify(policy)} expires, is changed or is removed: the URL alone does not show when it really expires`,
      mustSend: mustSend(url),
      traps: [
        ...urlTraps(subject.url).filter(({ name }) => !/^(?:host-port|plus-in-query)$/.test(name)),
        ...azureTraps(url, subject.now),
      ],
      cause,
      hypotheses,
      stringToSign: keyFits === true ? inputText({ ...emptyInput(sent), key: "" }) : undefined,
    },
    hidden: spellings(signature),
    keyFits,
  };
}

function bound({ kind, values }: AzureUrl): readonly string[] {
  const has = (name: string, text: string): readonly string[] => (values.has(name) ? [text] : []);
  return [
    ...(kind === ACCOUNT ? ["account", "services and kinds of resources"] : ["account", "container"]),
    ...(/^b/.test(values.get("sr") ?? "") ? ["blob"] : []),
    ...has("sdd", "directory"),
    ...has("sp", "permissions"),
    ...has("si", "stored policy"),
    ...has("st", "start"),
    ...has("se", "end"),
    ...has("sip", "client address"),
    ...has("spr", "protocol"),
    ...has("ses", "encryption scope"),
    ...has("sduoid", "one user"),
    ...(["rscc", "rscd", "rsce", "rscl", "rsct"].some((name) => values.has(name)) ? ["headers of the answer"] : []),
    ...(values
      .get("srh")
      ?.split(",")
      .map((name) => `header ${name.toLowerCase()}`) ?? []),
    ...(values
      .get("srq")
      ?.split(",")
      .map((name) => `parameter ${name}`) ?? []),
  ];
}

function open({ kind, values }: AzureUrl): readonly string[] {
  const resource = values.get("sr");
  return [
    "method, within the permissions",
    ...(kind === ACCOUNT
      ? ["container and blob"]
      : resource === "c" || resource === "d"
        ? ["which blob of those"]
        : []),
    values.get("spr") === "https" ? "host" : "scheme and host",
    values.has("srh") ? "every other header" : "every header",
    values.has("srq") ? "every other query parameter" : "every query parameter",
    "body",
    values.has("sip") ? "how often it is used" : "who uses it, from where, and how often",
  ];
}

function mustSend({ values, location, others }: AzureUrl): readonly MustSend[] {
  const isUpload = /[cw]/.test(values.get("sp") ?? "") && location?.blob !== undefined && !others.has("comp");
  return [
    ...(isUpload ? [{ name: "x-ms-blob-type", value: "BlockBlob" }] : []),
    ...(values
      .get("srh")
      ?.split(",")
      .map((name) => ({ name: name.toLowerCase() })) ?? []),
    ...(values.has("sduoid") ? [{ name: "authorization" }] : []),
  ];
}
