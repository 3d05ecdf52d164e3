import { excerpt } from "../../http/excerpt.ts";
import type { KeyScope } from "../../pipeline/key-scope.ts";
import type { Received } from "../../pipeline/receive.ts";
import { Refusal } from "../../pipeline/refusal.ts";
import { scopeOfPolicy } from "./policy.ts";

/** The fields of a call. */
export interface CallFields {
  readonly action: "AssumeRole" | "GetSessionToken";
  readonly seconds: number | undefined;
  readonly scope: KeyScope;
  /** `AssumeRole` only. The role is a label: the key and the policy decide what a session may do. */
  readonly roleArn: string;
  readonly sessionName: string;
}

const PARAMETERS: Readonly<Record<CallFields["action"], readonly string[]>> = {
  AssumeRole: ["RoleArn", "RoleSessionName", "DurationSeconds", "Policy"],
  GetSessionToken: ["DurationSeconds"],
};
const FORM = /^application\/x-www-form-urlencoded(?:;|$)/i;

/**
 * Reads a call in the query protocol of AWS. An unsupported parameter is refused by name: an ignored tag, serial number or policy ARN
 * would be a broken promise.
 *
 * @throws {Refusal} `INVALID_ACTION`, `INVALID_PARAMETER`, `MALFORMED_POLICY`, `METHOD_NOT_ALLOWED`
 */
export async function readCall({ request, fields }: Received, body: AsyncIterable<Uint8Array>): Promise<CallFields> {
  if (request.method !== "POST" || request.target !== "/" || !FORM.test(fields.contentType ?? "")) {
    const message = "the request is not a form for the path /. Send it by POST as application/x-www-form-urlencoded";
    throw new Refusal("INVALID_ACTION", message, { found: request.method });
  }
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(await readText(body))) {
    if (parameters.has(name)) throw invalid(name, "repeated. Send it once");
    parameters.set(name, value);
  }
  const action = parameters.get("Action") ?? "";
  if (!isAction(action) || parameters.get("Version") !== "2011-06-15") {
    const message = `the service has no action ${excerpt(action)} in this version. Send ${Object.keys(PARAMETERS).join(" or ")} of 2011-06-15`;
    throw new Refusal("INVALID_ACTION", message, { found: action });
  }
  for (const name of parameters.keys()) {
    if (!["Action", "Version", ...PARAMETERS[action]].includes(name)) throw invalid(name, "not known. Leave it out");
  }
  const policy = parameters.get("Policy");
  return {
    action,
    seconds: seconds(parameters.get("DurationSeconds")),
    scope: policy === undefined ? {} : scopeOfPolicy(policy),
    ...(action === "AssumeRole"
      ? {
          roleArn: matching(parameters, "RoleArn", /^arn:[\w+=,.@-]*:iam::[0-9]*:role\/[\w+=,.@/-]{1,512}$/),
          sessionName: matching(parameters, "RoleSessionName", /^[\w+=,.@-]{2,64}$/),
        }
      : { roleArn: "", sessionName: "" }),
  };
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new Refusal("INVALID_PARAMETER", "the parameters are not UTF-8. Encode them in UTF-8", {
        parameter: "Action",
      });
    }
  };
  let text = "";
  for await (const chunk of body) text += decode(chunk);
  return text + decode();
}

function isAction(action: string): action is CallFields["action"] {
  return Object.hasOwn(PARAMETERS, action);
}

function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw invalid("DurationSeconds", `${excerpt(text)}. Send whole seconds`);
  return Number(text);
}

function matching(parameters: ReadonlyMap<string, string>, name: string, form: RegExp): string {
  const value = parameters.get(name) ?? "";
  if (!form.test(value)) throw invalid(name, `${excerpt(value)}. Send it as AWS documents ${name}`);
  return value;
}

function invalid(parameter: string, problem: string): Refusal {
  return new Refusal("INVALID_PARAMETER", `the parameter ${parameter} is ${problem}`, { parameter });
}
