import { subjects } from "../registry.ts";
import { tamperSuites, testTampering } from "./suites.ts";

// The schemes that neither of the other two files has.
const elsewhere = /^(?:s3|azure|gcs|oss|cos|swift|cloudfront|url)(?:\/|$)/;
testTampering(tamperSuites(subjects.filter(({ row, isForm }) => !isForm && !elsewhere.test(row.id))));
