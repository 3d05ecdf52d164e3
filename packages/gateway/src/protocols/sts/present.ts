import { type XmlElements, xmlDocument } from "../../http/xml.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import type { Refusal } from "../../pipeline/refusal.ts";
import type { Session } from "../../pipeline/sessions.ts";
import type { Exchange } from "../protocol.ts";
import { s3Error } from "../s3/errors.ts";
import { textAnswer } from "../text-answer.ts";
import type { CallFields } from "./call.ts";

const NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** The credentials in the form that SDKs read. */
export function presentSession(
  session: Session,
  { action, roleArn, sessionName }: CallFields,
  { requestId }: Exchange,
): Answer {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = session;
  const role = roleArn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
  return answer(200, `${action}Response`, {
    [`${action}Result`]: {
      Credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: expiration,
      },
      AssumedRoleUser:
        action === "AssumeRole"
          ? { AssumedRoleId: `${accessKeyId}:${sessionName}`, Arn: `${role}/${sessionName}` }
          : undefined,
    },
    ResponseMetadata: { RequestId: requestId },
  });
}

/** The codes of STS that differ from the codes of S3. */
const CODES: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "InvalidClientTokenId",
  AuthorizationHeaderMalformed: "IncompleteSignature",
  RequestTimeTooSkewed: "RequestExpired",
};

/** A refusal in the XML of AWS's query protocol. */
export function refuseSts(refusal: Refusal, { requestId }: Exchange): Answer {
  const { status, code, message } = s3Error(refusal.code, refusal.details);
  return answer(status, "ErrorResponse", {
    Error: { Type: status < 500 ? "Sender" : "Receiver", Code: CODES[code] ?? code, Message: message },
    RequestId: requestId,
  });
}

function answer(status: number, root: string, content: XmlElements): Answer {
  return textAnswer({ status, type: "text/xml", text: xmlDocument(root, content, NAMESPACE) });
}
