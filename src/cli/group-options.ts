/** The argument and the options that the commands for the API share. */
import { Argument, InvalidArgumentError, Option } from 'commander'
import type { ApiFlags } from './api-access.ts'

/** The options that most of these commands have. */
export type ApiOptions = ApiFlags & Readonly<{ json?: boolean }>

/** GROUP_ID: any text that can be encoded as UTF-8. The API decides whether it is a legal id. */
export function groupIdArgument(): Argument {
  return new Argument('<group-id>', 'the id; if it starts with a dash, write -- before it').argParser(
    (text) => {
      if (text === '') throw new InvalidArgumentError('An id has at least one character.')
      if (!text.isWellFormed()) throw new InvalidArgumentError('An id is well-formed Unicode text.')
      return text
    },
  )
}

/** --url. */
export function urlOption(): Option {
  return new Option(
    '--url <url>',
    'where a connector is; give it several times, and the next one is asked when one fails (default: ' +
      'http://127.0.0.1:8000, or the port that PORT names)',
  ).argParser((url: string, before: readonly string[] = []) => [...before, url])
}

/** --key-file. */
export function keyFileOption(): Option {
  return new Option(
    '--key-file <file>',
    'a file with the API key or token to send (COHORT_KEY_FILE; default: that of "cohort login")',
  )
}

/** --ca-file. */
export function caFileOption(): Option {
  return new Option('--ca-file <file>', 'the CA of the connector, for https (COHORT_CA_FILE)')
}

/** --client-cert-file. */
export function clientCertFileOption(): Option {
  return new Option(
    '--client-cert-file <file>',
    'the certificate to show to the connector (COHORT_CLIENT_CERT_FILE)',
  )
}

/** --client-key-file. */
export function clientKeyFileOption(): Option {
  return new Option(
    '--client-key-file <file>',
    'the private key of that certificate (COHORT_CLIENT_KEY_FILE)',
  )
}

/** --json. */
export function jsonOption(): Option {
  return new Option('--json', 'print what the API answered, as JSON')
}

/** --if-match. */
export function ifMatchOption(): Option {
  return new Option('--if-match <etag>', 'do it only if the group still has this ETag').argParser(toEntityTag)
}

/**
 * Adds the quotes of an ETag, which are hard to type in a shell. Lists, weak tags and `*` are left as they
 * are.
 */
export function toEntityTag(text: string): string {
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(text))
    throw new InvalidArgumentError('Expected an ETag, like "3-1f0c".')
  return /^(\*$|"|W\/)/.test(text) ? text : `"${text}"`
}
