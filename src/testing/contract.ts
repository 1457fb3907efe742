/** One promise of an interface, checked against a real implementation. Any test framework can run it. */
export interface ContractCheck {
  readonly name: string
  /** Rejects, with an error of node:assert where a promise is broken. */
  readonly run: () => Promise<void>
}
