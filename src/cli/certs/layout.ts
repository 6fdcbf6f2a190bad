/**
 * The folder of a cluster's certificates:
 *
 *     ca.crt                    the CAs that clients of the API trust
 *     ca/ca.pem                 the CA and its private key: only `cohort certs` reads this folder
 *     ca/next.pem, ca/old.pem   while the CA is replaced: the CA that comes, and those that were
 *     nodes/NAME/               tls.crt, tls.key, ca.crt: copy this folder to the node
 *     connectors/NAME/          the same, and api.crt, api.key: for HTTPS
 */

import type { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makePrivateDirectory } from '../../process/private-files.ts'
import { certificatesIn } from '../../tls/material.ts'
import { CommandFailure } from '../failure.ts'
import { WholeFile } from '../whole-file.ts'
import type { Pair } from './issue.ts'

/** The files of one process, which its settings name. */
export type ProcessFiles = Readonly<{
  cert: string
  key: string
  ca: string
  /** For HTTPS; only connectors have them. */
  apiCert: string
  apiKey: string
}>

export type Kind = 'node' | 'connector'

/** The files of the CA. */
export function caFiles(directory: string) {
  const at = (name: string) => join(directory, 'ca', name)
  return {
    current: at('ca.pem'),
    next: at('next.pem'),
    old: at('old.pem'),
    forClients: join(directory, 'ca.crt'),
  }
}

/** The files of a process. */
export function filesOf(directory: string, kind: Kind, name: string): ProcessFiles {
  const at = (file: string) => join(directory, `${kind}s`, name, file)
  return {
    cert: at('tls.crt'),
    key: at('tls.key'),
    ca: at('ca.crt'),
    apiCert: at('api.crt'),
    apiKey: at('api.key'),
  }
}

/** The names of the processes of a kind that have certificates. */
export function namesIn(directory: string, kind: Kind): string[] {
  const folder = join(directory, `${kind}s`)
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => existsSync(filesOf(directory, kind, name).cert))
    .sort()
}

/** Whether there is a CA. */
export function hasCa(directory: string): boolean {
  return existsSync(caFiles(directory).current)
}

/** A CA with its key. @throws CommandFailure */
export function readCa(file: string): Pair {
  const text = readText(file)
  const key = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/.exec(text)?.[0]
  if (key === undefined) throw new CommandFailure(`${file} holds no private key`)
  return { cert: certificatesIn(Buffer.from(text), file)[0]!.toString(), key }
}

/** The certificates of a file; none if there is no such file. */
export function readCertificates(file: string): X509Certificate[] {
  return existsSync(file) ? certificatesIn(Buffer.from(readText(file)), file) : []
}

/** @throws CommandFailure */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CommandFailure(`${file} cannot be read: ${(cause as Error).message}`, undefined, { cause })
  }
}

/**
 * Writes a certificate and its key, each as a whole file that only its owner may read. The key comes first:
 * processes take the two when both are there.
 */
export async function writePair(
  { cert, key }: Pair,
  files: Readonly<{ cert: string; key: string }>,
): Promise<void> {
  await writePrivate(files.key, key)
  await writePrivate(files.cert, cert)
}

/** Writes a whole file that only its owner may read, in a directory that only its owner may read. */
export async function writePrivate(path: string, text: string): Promise<void> {
  makePrivateDirectory(dirname(path), () => false)
  await WholeFile.replace(path, text)
}
