import { schemes } from "../src/schemes.ts";
import { type Subject, subjectsOf } from "./subject.ts";

export * from "./subject.ts";

/** Every example of the library. */
export const subjects: readonly Subject[] = await subjectsOf(schemes);
