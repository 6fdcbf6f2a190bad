/** The options of `cohort connector` that say who may use the API. */
import { Option } from 'commander'

/** --admin-key-file. */
export function adminKeyFileOption(): Option {
  return new Option(
    '--admin-key-file <file>',
    'a file with the hash of an admin key, which "cohort key hash" makes (ADMIN_KEY_FILE; default: none)',
  )
}

const OIDC = {
  issuer: ['<url>', 'the issuer whose tokens are taken (OIDC_ISSUER; default: none)'],
  audience: ['<text>', 'the audience that the tokens must name (OIDC_AUDIENCE)'],
  algorithms: [
    '<list>',
    'the signatures that are taken (OIDC_ALGORITHMS; default: RS256, PS256, ES256, EdDSA)',
  ],
  'role-claim': [
    '<path>',
    'the claim whose values the rules name, with dots (OIDC_ROLE_CLAIM; default: roles)',
  ],
  roles: [
    '<rules>',
    'who gets which role: "VALUE -> ROLE" or "VALUE -> ROLE:PREFIX", separated by commas (OIDC_ROLES)',
  ],
} as const

/** --oidc-issuer and those that belong to it. */
export function oidcOption(name: keyof typeof OIDC): Option {
  const [value, description] = OIDC[name]
  return new Option(`--oidc-${name} ${value}`, description)
}

/** --client-roles-file. */
export function clientRolesFileOption(): Option {
  return new Option(
    '--client-roles-file <file>',
    'which role each client certificate has: a rule "SUBJECT -> ROLE" in each line (CLIENT_ROLES_FILE; default: none)',
  )
}
