import { Parser } from 'htmlparser2'
import { cleanTitle } from './clean-title.ts'

/** An answer that came instead of a feed, or in spite of a refusal. */
export type Page = {
  text: string
  /** Where it was found at last, after redirects. */
  url: URL
  headers: Headers
  /** Whether a redirect on the way there set a cookie, which this program does not send back. */
  wantsCookie: boolean
}

/** What is looked at of a page. */
const LOOKED_AT = 200_000

/** Signs of a page that lets browsers through and keeps programs out; the first that is found names it. */
const BOT_CHECKS: readonly (readonly [sign: string, whose: string])[] = [
  ['cf-chl', 'by Cloudflare'],
  ['challenge-platform', 'by Cloudflare'],
  ['cf-browser-verification', 'by Cloudflare'],
  ['attention required! | cloudflare', 'by Cloudflare'],
  ['<title>just a moment', 'by Cloudflare'],
  ['cf-turnstile', 'by Cloudflare'],
  ['ddos-guard', 'by DDoS-Guard'],
  ['_incapsula_resource', 'by Imperva'],
  ['incapsula incident', 'by Imperva'],
  ['captcha-delivery.com', 'by DataDome'],
  ['geo.captcha', 'by DataDome'],
  ['px-captcha', 'by HUMAN'],
  ['perimeterx', 'by HUMAN'],
  ['sucuri website firewall', 'by Sucuri'],
  ['sucuri_cloudproxy_js', 'by Sucuri'],
  ['awswafintegration', 'by AWS WAF'],
  ['aws-waf-token', 'by AWS WAF'],
  ['errors.edgesuite.net', 'by Akamai'],
  ['/_sec/cp_challenge', 'by Akamai'],
  ['g-recaptcha', 'with a captcha'],
  ['h-captcha', 'with a captcha'],
  ['hcaptcha.com', 'with a captcha'],
  ['captcha', 'with a captcha'],
  ['enable javascript and cookies to continue', 'that asks for JavaScript'],
  ['checking your browser', 'that asks for JavaScript'],
  ['verify you are human', 'for people'],
  ['are you a robot', 'for people'],
  ['please enable javascript', 'that asks for JavaScript'],
  ['you need to enable javascript', 'that asks for JavaScript'],
]

const CONSENT_ADDRESS = /consent|gdpr|cookiewall|cookie-wall|privacy-?(?:gate|wall|center|manager)/i
const CONSENT_WORDS = [
  'we value your privacy',
  'cookie consent',
  'consent to cookies',
  'accept all cookies',
  'accept cookies',
]

const COOKIE_WORDS = ['enable cookies', 'cookies are required', 'cookies are disabled', 'cookies must be enabled']

const ELSEWHERE = 'use another feed of the same news'

/** Why a page is no feed where its address, headers or text say so, and what to do about it; null where they do not. */
export function nameBarrier({ text, url, headers, wantsCookie }: Page): string | null {
  const small = text.slice(0, LOOKED_AT).toLowerCase()
  const action = headers.get('cf-mitigated') ?? headers.get('x-amzn-waf-action')
  const whose = action === null ? BOT_CHECKS.find(([sign]) => small.includes(sign))?.[1] : 'by the site’s firewall'
  if (whose !== undefined) return `a bot check ${whose} instead of the feed: no program gets past it; ${ELSEWHERE}`
  const isConsent =
    CONSENT_ADDRESS.test(`${url.hostname}${url.pathname}`) || CONSENT_WORDS.some((word) => small.includes(word))
  if (isConsent) return `a page that asks for consent instead of the feed: it needs a person; ${ELSEWHERE}`
  return wantsCookie || COOKIE_WORDS.some((word) => small.includes(word))
    ? `a page that wants a cookie instead of the feed: it needs a browser; ${ELSEWHERE}`
    : null
}

/** What kind of HTML page came instead of a feed, with the address of the feed that it names, or how to find one. */
export function namePage(page: Page): string {
  const { title, feed } = readHead(page)
  if (feed !== null) return `an HTML page instead of a feed; it names its feed, put that into news.feeds: ${feed}`
  const barrier = nameBarrier(page)
  if (barrier !== null) return barrier
  const titled = title === '' ? '' : ` (“${cleanTitle(title, 60)}”)`
  return `an HTML page${titled} instead of a feed; look on the site for the address of its RSS or Atom feed`
}

export const isHtml = (text: string): boolean =>
  /^(?:<\?xml[^<>]{0,200}\?>)?(?:<!doctype html|<html|<head|<body|<title|<meta|<script|<div)/i.test(
    text.slice(0, 4_000).trimStart().replace('\ufeff', ''),
  )

/** The page's title and the first feed that it names with `<link rel="alternate">`. */
function readHead({ text, url }: Page): { title: string; feed: string | null } {
  let [title, feed, isInTitle]: [string, string | null, boolean] = ['', null, false]
  const parser = new Parser({
    onopentag(name, { rel = '', type = '', href = '' }) {
      isInTitle = name === 'title' && title === ''
      const isFeed =
        name === 'link' && /\balternate\b/i.test(rel) && /^application\/(?:rss|atom|feed)\+(?:xml|json)/i.test(type)
      if (isFeed && feed === null && URL.canParse(href, url.href)) feed = new URL(href, url).href
    },
    ontext: (piece) => void (isInTitle && title.length < 500 && (title += piece)),
    onclosetag: () => void (isInTitle = false),
  })
  parser.end(text.slice(0, LOOKED_AT))
  return { title, feed }
}
