/**
 * The path of a group. It is sent without going through a URL parser, which would resolve `..` to the parent
 * of `/v1/group`.
 *
 * @throws URIError when the id holds a lone surrogate, which has no UTF-8
 */
export function groupPath(groupId: string): string {
  return `/v1/group/${segmentOf(groupId)}`
}

/** The path of a member of a group. @throws URIError as `groupPath` does */
export function groupMemberPath(groupId: string, memberId: string): string {
  return `${groupPath(groupId)}/members/${segmentOf(memberId)}`
}

/**
 * An id as a segment of a path. A proxy may resolve `.` and `..`, so they are sent with escapes.
 *
 * @throws URIError as `groupPath` does
 */
export function segmentOf(id: string): string {
  const encoded = encodeURIComponent(id)
  return /^\.{1,2}$/.test(encoded) ? encoded.replaceAll('.', '%2E') : encoded
}

/** A path with a query of the values that are given. */
export function withQuery(
  path: string,
  query: Readonly<{ [name: string]: string | number | boolean | undefined }>,
): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}
