/** Rules that give a role to callers whom another system names: `VALUE -> ROLE` or `VALUE -> ROLE:PREFIX`. */
import { type GrantedRole, isGrantedRole, ROLES } from './role.ts'

/** `prefix`: `''` means all groups. */
export type RoleRule = Readonly<{ value: string; role: GrantedRole; prefix: string }>

/** A rule that cannot be read. The message is a sentence without its full stop. */
export class RoleRuleError extends Error {
  override readonly name = 'RoleRuleError'
}

const ARROW = '->'

/**
 * Reads rules, each in a line. Empty lines, and lines that begin with #, are comments. The value may hold an
 * arrow; the last arrow counts.
 *
 * @throws RoleRuleError
 */
export function parseRoleRules(lines: readonly string[]): readonly RoleRule[] {
  const rules = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseRule)
  if (rules.length === 0) throw new RoleRuleError('there is no rule')
  return rules
}

function parseRule(line: string): RoleRule {
  const arrow = line.lastIndexOf(ARROW)
  const value = line.slice(0, arrow).trim()
  const granted = line.slice(arrow + ARROW.length).trim()
  const [, role = '', prefix = ''] = /^([a-z]+)(?::(.+))?$/u.exec(granted) ?? []
  if (arrow === -1 || value === '' || !isGrantedRole(role)) {
    throw new RoleRuleError(
      `a rule is of the form "VALUE -> ROLE" or "VALUE -> ROLE:PREFIX", with ${ROLES.join(', ')} for ROLE, got ${JSON.stringify(line)}`,
    )
  }
  return { value, role, prefix }
}

/** The first rule, in the order of the rules, whose value is one of these. */
export function matchingRule(rules: readonly RoleRule[], values: ReadonlySet<string>): RoleRule | undefined {
  return rules.find(({ value }) => values.has(value))
}
