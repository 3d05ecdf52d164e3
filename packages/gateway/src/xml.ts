/**
 * The reader of XML from storage servers: elements and text, without DTDs, entities that they declare, and processing instructions.
 *
 * @module
 */
export { MalformedXml, type ReadElement, readXml, type XmlOptions } from "./http/xml-reader.ts";
