/** What every catalogue of texts has: what the English one has. */
import type { en } from "./en.ts";

type Texts<T> = { readonly [K in keyof T]: T[K] extends string ? string : Texts<T[K]> };
/** The texts of one language. */
export type Messages = Texts<typeof en> & { readonly direction?: "rtl" };
/** Why a link does not open. */
export type PageProblem = keyof Messages["problems"];
/** What a link is for. */
export type Kind = keyof Messages["kinds"];
/** The forms of a text with a number. A language with more forms than English has them beside these. */
export type Forms = Messages["files"] & Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
/** Why an address that is no link of a person does not open; `root` for the address of the server itself. */
export type RefusedUrl = keyof Messages["refusals"];
