/** The URL of a database of Postgres, with one host or several, as libpq takes it. */

/** A database, and the hosts of which one is its primary. */
export type Database = Readonly<{
  name: string
  /** `user` of the URL. `undefined`: the name of the user who runs this process. */
  user: string | undefined
  hosts: readonly DatabaseHost[]
}>

/** One host, with the URL for a connection to it alone. The URL may hold a password: never show it. */
export type DatabaseHost = Readonly<{ address: string; url: string }>

export type DatabaseUrlResult =
  | Readonly<{ kind: 'database'; database: Database }>
  /** What the URL must be, and is not. */
  | Readonly<{ kind: 'problem'; problem: string }>

const PORT = 5432
const PATTERN =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^/?#@]*)\/(?<name>[^/?#]+)(?:\?(?<query>[^#]*))?$/
const HOST = /^(?<host>\[[0-9A-Fa-f:.]+\]|[^:[\],\s]+)(?::(?<port>\d{1,5}))?$/

/** Parses `postgres://user@host1:5432,host2/database?target_session_attrs=read-write`. */
export function parseDatabaseUrl(text: string): DatabaseUrlResult {
  const { user, password, hosts = '', name, query = '' } = PATTERN.exec(text.trim())?.groups ?? {}
  if (name === undefined || hosts === '') {
    return problem('be a URL like postgres://user@host1,host2/database')
  }
  const parameters = new URLSearchParams(query)
  const wanted = parameters.get('target_session_attrs') ?? 'read-write'
  if (wanted !== 'read-write' && wanted !== 'primary') {
    return problem('have target_session_attrs=read-write or none: only the primary is read and written')
  }
  parameters.delete('target_session_attrs')
  const decoded = [user, name].map((part) => (part === undefined ? undefined : decode(part)))
  if (decoded.includes(null)) return problem('have each % followed by two hexadecimal digits')
  const found: DatabaseHost[] = []
  for (const text of hosts.split(',')) {
    const { host, port } = HOST.exec(text)?.groups ?? {}
    if (host === undefined || Number(port ?? PORT) > 65_535) {
      return problem('name its hosts as host or host:port, separated by commas')
    }
    const address = `${host}:${port ?? PORT}`
    const login = user ? `${user}${password === undefined ? '' : `:${password}`}@` : ''
    const rest = parameters.size === 0 ? '' : `?${parameters}`
    found.push({ address, url: `postgres://${login}${address}/${name}${rest}` })
  }
  return {
    kind: 'database',
    database: { name: decoded[1]!, user: decoded[0] || undefined, hosts: found },
  }
}

function problem(text: string): DatabaseUrlResult {
  return { kind: 'problem', problem: text }
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
