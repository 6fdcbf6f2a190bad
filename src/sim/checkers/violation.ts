/**
 * A rule of the protocol was broken. `rule` names it, so that one can see whether a shortened run breaks the
 * same rule.
 */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.name = 'Violation'
    this.rule = rule
  }
}
