import { subjects } from "../registry.ts";
import { tamperSuites, testTampering } from "./suites.ts";

testTampering(tamperSuites(subjects.filter(({ row, isForm }) => !isForm && row.id.startsWith("s3"))));
