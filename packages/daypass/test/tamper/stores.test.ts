import { subjects } from "../registry.ts";
import { tamperSuites, testTampering } from "./suites.ts";

testTampering(
  tamperSuites(
    subjects.filter(({ row, isForm }) => !isForm && /^(?:azure|gcs|oss|cos|swift|cloudfront|url)(?:\/|$)/.test(row.id)),
  ),
);
