/** What can be wrong with a database, each in one sentence that says what to do. */
import { DatabaseError } from 'pg'

/**
 * What is wrong with a database or one of its hosts. The message is a sentence for the operator.
 *
 * - `elsewhere`: this host does not serve, but another one may: it is down, or it is no primary;
 * - `waiting`: the primary is there, but must not be used yet. Nothing but time, or another server, mends it;
 * - `setup`: the database is not what this program needs. Only a person can mend it.
 */
export class DatabaseProblem extends Error {
  override name = 'DatabaseProblem'
  readonly kind: 'elsewhere' | 'waiting' | 'setup'

  constructor(kind: DatabaseProblem['kind'], message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}

/** Where an error was seen. */
export type Place = Readonly<{ address: string; database: string; user: string | undefined }>

/** The oldest server that this program works with: `server_version_num`. */
export const SERVER_MIN = { number: 140_000, name: '14' }

/** The code of Postgres for a database that a server does not have. */
export const NO_DATABASE = '3D000'

/** The client says it when the server asks for a password, and none is known. */
const NO_PASSWORD = /^SASL: .*client password must be a/

const INIT = 'run "cohort postgres init"'

/** The sentence about an error of a connection or of a first statement. */
export function problemOf(error: unknown, place: Place): DatabaseProblem {
  if (error instanceof DatabaseProblem) return error
  const { address, database, user } = place
  const text =
    error instanceof Error ? error.message || String((error as { code?: string }).code) : String(error)
  const role = user ?? 'the user'
  const setup = (message: string) => new DatabaseProblem('setup', message, error)
  const notIn = () =>
    setup(
      `The server ${address} does not let ${role} in (${text}): put the password into the file that PGPASSFILE names, or mend pg_hba.conf.`,
    )
  if (NO_PASSWORD.test(text)) return notIn()
  switch (codeOf(error)) {
    case '28P01':
    case '28000':
      return notIn()
    case NO_DATABASE:
      return setup(`The server ${address} has no database "${database}": make it, then ${INIT}.`)
    case '42501':
      return setup(rightsMissing(role, text))
    // A function that every version has that this program works with.
    case '42883':
      return setup(
        `The server ${address} is not Postgres ${SERVER_MIN.name} or newer (${text}): upgrade it, or name another one.`,
      )
    case '3F000':
    case '42P01':
      return setup(schemaMissing(database))
    case '53300':
      return new DatabaseProblem(
        'waiting',
        `The server ${address} has no connection left (${text}): raise max_connections, or run fewer connectors.`,
        error,
      )
    case '55P03':
      return new DatabaseProblem(
        'waiting',
        `Another transaction on the server ${address} has locked what is to be changed: end that transaction.`,
        error,
      )
    case '53100':
      return new DatabaseProblem('waiting', diskFull(address), error)
    case '25006':
      return new DatabaseProblem('elsewhere', readOnly(address), error)
    default:
      return new DatabaseProblem(
        'elsewhere',
        `The server ${address} does not serve (${text}): start it, or see in its log why it does not.`,
        error,
      )
  }
}

/** The SQLSTATE of an error of the server. `undefined`: it comes from the connection. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined
}

/**
 * Whether the server has refused a statement, and has undone all of it. Else the statement may have been
 * committed: the server was ended, or the connection is broken. A server that speaks another language than
 * English says `ERROR` in that language: then the answer is no, which is safe.
 */
export function isUndone(error: unknown): boolean {
  return error instanceof DatabaseError && error.severity === 'ERROR' && !error.code?.startsWith('57P')
}

/** A sentence as a part of another one. */
export function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '')
}

export function diskFull(address: string): string {
  return `The disk of the primary ${address} is full: free space on it; reads go on.`
}

export function readOnly(address: string): string {
  return `The server ${address} is read-only, a standby perhaps: name the primary, or all servers, in --database.`
}

export function schemaMissing(database: string): string {
  return `The database "${database}" has no schema "cohort": ${INIT}.`
}

export function schemaOther(database: string, found: number, wanted: number): string {
  return found < wanted
    ? `The schema "cohort" of the database "${database}" has version ${found}, and this program needs ${wanted}: ${INIT}.`
    : `The schema "cohort" of the database "${database}" has version ${found}, and this program knows ${wanted}: use a newer version of cohort.`
}

export function otherCluster(database: string, found: string, wanted: string): string {
  return `The database "${database}" holds the cluster ${found}, and this connector serves only ${wanted}: name another database, or another CLUSTER_ID.`
}

export function rightsMissing(role: string, text: string): string {
  return `The user ${role} lacks a right (${text}): run "cohort postgres init" as this user, or grant the right.`
}
