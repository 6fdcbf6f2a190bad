/**
 * Roles, and the rights that each gives. A route needs one right (route-rights.ts); a caller has one role.
 */

/** What a route may need. `status`: to see the state of the cluster. `metrics`: to see its figures. */
export type Right = 'status' | 'metrics' | 'read' | 'write' | 'admin'

/** The roles that a caller can be given. */
export const ROLES = ['reader', 'writer', 'admin', 'monitor'] as const

export type GrantedRole = (typeof ROLES)[number]

/** `none`: a caller that has not shown who it is, to a connector that wants to know it. */
export type Role = GrantedRole | 'none'

const RIGHTS: { readonly [role in Role]: ReadonlySet<Right> } = {
  none: new Set(),
  reader: new Set<Right>(['status', 'read']),
  writer: new Set<Right>(['status', 'read', 'write']),
  admin: new Set<Right>(['status', 'metrics', 'read', 'write', 'admin']),
  // For Prometheus, and for programs that watch the cluster: it sees no group.
  monitor: new Set<Right>(['status', 'metrics']),
}

export function hasRight(role: Role, right: Right): boolean {
  return RIGHTS[role].has(right)
}

/** The roles that give a right, in the order of `ROLES`. */
export function rolesWith(right: Right): readonly GrantedRole[] {
  return ROLES.filter((role) => hasRight(role, right))
}

export function isGrantedRole(text: string): text is GrantedRole {
  return (ROLES as readonly string[]).includes(text)
}
