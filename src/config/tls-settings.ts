/** The settings of TLS: files that a process reads again whenever they change. */
import type { TlsPaths } from '../tls/material.ts'
import { absolutePath, type Find, type Found, required, type Variable } from './lookup.ts'
import { SettingError } from './setting-error.ts'

/** The certificate with which a connector or a node speaks to the others of its cluster. */
export type NodeTls = TlsPaths & Readonly<{ caFile: string }>

/** `undefined`: connections between connectors and nodes are not encrypted. @throws SettingError */
export function readNodeTls(find: Find): NodeTls | undefined {
  const files = readFiles(find, ['NODE_TLS_CERT_FILE', 'NODE_TLS_KEY_FILE', 'NODE_TLS_CA_FILE'])
  if (files === undefined) return undefined
  const [certFile, keyFile, caFile] = files as [string, string, string]
  return Object.freeze({ certFile, keyFile, caFile })
}

/**
 * The certificate of the public API, and the CA of clients that show one. `undefined`: the API speaks HTTP.
 *
 * @throws SettingError
 */
export function readApiTls(find: Find): TlsPaths | undefined {
  const files = readFiles(find, ['TLS_CERT_FILE', 'TLS_KEY_FILE'])
  const clientCa = findFile(find, 'TLS_CLIENT_CA_FILE')
  if (files === undefined) {
    if (clientCa === undefined) return undefined
    throw new SettingError(
      `${clientCa.label} needs TLS_CERT_FILE and TLS_KEY_FILE: only with them is there TLS`,
    )
  }
  const [certFile, keyFile] = files as [string, string]
  const caFile =
    clientCa === undefined ? undefined : absolutePath(required(clientCa, 'TLS_CLIENT_CA_FILE', 'a file'))
  return Object.freeze({ certFile, keyFile, caFile })
}

/** An empty flag, like an empty variable, means that there is no file. */
function findFile(find: Find, variable: Variable): Found | undefined {
  const found = find(variable)
  return found?.text === '' ? undefined : found
}

/** The paths of all these files, or `undefined` if none is set. @throws SettingError */
function readFiles(find: Find, variables: readonly Variable[]): string[] | undefined {
  const found = variables.map((variable) => findFile(find, variable))
  if (found.every((one) => one === undefined)) return undefined
  const names = variables.join(', ').replace(/, (\w+)$/, ' and $1')
  return found.map((one, index) => {
    const variable = variables[index]!
    if (one === undefined) throw new SettingError(`${variable} is missing: ${names} must be set together`)
    return absolutePath(required(one, variable, 'a file'))
  })
}
