/** For tests: certificates of two clusters, made once for a test file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initCertificates } from '../cli/certs/certificates.ts'
import { issueCa, issueLeaf, type Pair, type Subject } from '../cli/certs/issue.ts'
import { caFiles, filesOf, type Kind, readCa } from '../cli/certs/layout.ts'
import { type Identity, uriOf } from '../tls/identity.ts'
import type { TlsMaterial, TlsPaths } from '../tls/material.ts'
import { readMaterial } from '../tls/material.ts'

export type TestCertificates = Readonly<{
  directory: string
  /** The CA of the cluster. */
  ca: Pair
  /** The files of a process of the cluster: the nodes n1, n2 and n3 at 127.0.0.1, and the connector c1. */
  paths: (kind: Kind, name: string) => TlsPaths & Readonly<{ caFile: string }>
  /** What these files hold. */
  material: (kind: Kind, name: string) => TlsMaterial
  /** A certificate that the CA of the cluster has signed, or another one, for the given holder. */
  leaf: (subject: LeafSubject) => Promise<TlsMaterial>
  /** The files of such a certificate. */
  leafPaths: (subject: LeafSubject) => Promise<TlsPaths & Readonly<{ caFile: string }>>
}>

export type LeafSubject = Readonly<{
  /** `undefined`: the certificate names no process. */
  identity?: Identity | undefined
  hosts?: readonly string[]
  usages?: Subject['usages']
  /** Default: the CA of the cluster. */
  ca?: Pair
  now?: Date
}>

export const TEST_CLUSTER = 'test-cluster'

/** Makes them in a folder that is removed when the process ends. */
export async function testCertificates(): Promise<TestCertificates> {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-certificates-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  await initCertificates(directory, {
    cluster: TEST_CLUSTER,
    nodes: ['n1', 'n2', 'n3'].map((name) => ({ name, hosts: ['127.0.0.1', 'localhost'] })),
    connectors: [{ name: 'c1', hosts: ['localhost'] }],
    existing: 'refuse',
    now: new Date(),
  })
  const ca = readCa(caFiles(directory).current)
  const paths = (kind: Kind, name: string) => {
    const { cert: certFile, key: keyFile, ca: caFile } = filesOf(directory, kind, name)
    return { certFile, keyFile, caFile }
  }
  let count = 0
  const leafPaths = async ({
    identity,
    hosts = ['127.0.0.1', 'localhost'],
    usages = ['server', 'client'],
    ca: issuer = ca,
    now = new Date(),
  }: LeafSubject) => {
    const uri = identity === undefined ? {} : { uri: uriOf(identity) }
    const pair = await issueLeaf({ commonName: 'a leaf', hosts, usages, ...uri }, issuer, now)
    count += 1
    const at = (name: string) => join(directory, `leaf-${count}.${name}`)
    writeFileSync(at('crt'), pair.cert)
    writeFileSync(at('key'), pair.key, { mode: 0o600 })
    return { certFile: at('crt'), keyFile: at('key'), caFile: caFiles(directory).forClients }
  }
  return {
    directory,
    ca,
    paths,
    material: (kind, name) => readMaterial(paths(kind, name)),
    leaf: async (subject) => readMaterial(await leafPaths(subject)),
    leafPaths,
  }
}

/** A CA that nobody trusts. */
export function strangeCa(): Promise<Pair> {
  return issueCa('a strange CA', new Date())
}
