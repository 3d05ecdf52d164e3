/**
 * The audit: trees over the records of a state, signed heads, export, verification and receipts. docs/spec/audit.md is its specification.
 *
 * @module
 */
export { auditLines, type ExportOptions } from "./export.ts";
export { type AuditKey, auditKey, type Head, newAuditKey, publicKeys, type SignedHead } from "./head.ts";
export { type ExportedHead, HistoryChanged, type KeptHeads, readHeads } from "./kept-heads.ts";
export { type Receipt, readReceipt, receiptOf } from "./receipt.ts";
export { receiptPage } from "./receipt-page.ts";
export { type Sealer, type SealerOptions, sealer } from "./seal.ts";
export { type AuditFault, type AuditFaultKind, type AuditReport, type VerifyOptions, verifyAudit } from "./verify.ts";
