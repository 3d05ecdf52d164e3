/** The XML that S3 answers with. */
import { XML_DECLARATION, type XmlContent, xmlDocument } from "../../http/xml.ts";
import type { Answer } from "../../pipeline/outcome.ts";
import { textAnswer } from "../text-answer.ts";
import { requestIdHeaders } from "./request-id.ts";

/** The answer that holds a document. */
export function xmlAnswer(options: {
  readonly root: string;
  readonly elements: XmlContent;
  readonly requestId: string;
  readonly headers?: readonly string[];
}): Answer {
  const { root, elements, requestId, headers = [] } = options;
  return textAnswer({
    status: 200,
    type: "application/xml",
    text: xmlDocument(root, elements),
    headers: [...requestIdHeaders(requestId), ...headers],
  });
}

/** The beginning of an answer whose document, be it that of an error, is not known yet. */
export function beginXmlAnswer(requestId: string): Answer {
  return textAnswer({
    status: 200,
    type: "application/xml",
    text: XML_DECLARATION,
    headers: [...requestIdHeaders(requestId)],
    open: true,
  });
}
