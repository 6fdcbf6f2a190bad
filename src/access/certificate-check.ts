import type { Verdict } from './authenticator.ts'
import { newCaller } from './caller.ts'
import { matchingRule, parseRoleRules, type RoleRule, RoleRuleError } from './role-rules.ts'
import { AccessFileError } from './watched-file.ts'

/** The kind of credentials, for people. */
export const CERTIFICATE_KIND = 'a client certificate'

const SUBJECT_LENGTH_MAX = 256

/**
 * The caller of a client certificate that is valid, by its subject. Whoever made the rules trusts the CA to
 * give a subject only to its holder.
 *
 * @param subject as in RFC 4514, like `CN=ci,O=Example`
 */
export function checkCertificate(subject: string, rules: readonly RoleRule[]): Verdict {
  if (subject === '' || subject.length > SUBJECT_LENGTH_MAX) {
    return {
      kind: 'refused',
      reason: `The subject of the client certificate has not 1 to ${SUBJECT_LENGTH_MAX} characters.`,
    }
  }
  const { role = 'none', prefix = '' } = matchingRule(rules, new Set([subject])) ?? {}
  return {
    kind: 'known',
    caller: newCaller({ kind: 'certificate', id: subject, name: subject, role, prefix }),
  }
}

/** The rules of the file that CLIENT_ROLES_FILE names. @throws AccessFileError */
export function parseClientRoles(text: string, path: string): readonly RoleRule[] {
  try {
    return parseRoleRules(text.split('\n'))
  } catch (error) {
    if (error instanceof RoleRuleError) throw new AccessFileError(`${path} cannot be used: ${error.message}`)
    throw error
  }
}
