import type { LineAnswerer } from "../lines/answer.ts";
import { signLines } from "../lines/sign-line.ts";
import { verifyLines } from "../lines/verify-line.ts";

/** The kinds of batch. A worker is told the kind, because a function cannot be sent to it. */
export type BatchKind = "sign" | "verify";

export const ANSWERERS: Readonly<Record<BatchKind, () => LineAnswerer>> = { sign: signLines, verify: verifyLines };
