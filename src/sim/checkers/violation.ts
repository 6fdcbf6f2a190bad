/** A rule that did not hold. `rule` names it, so that a shortened run can be seen to break the same one. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.name = 'Violation'
    this.rule = rule
  }
}
