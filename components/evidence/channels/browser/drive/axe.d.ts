/** axe-core's rules as text, which is run in a page and never here. */
declare module "axe-core/axe.min.js" {
  const source: string;
  export default source;
}
