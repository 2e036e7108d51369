/**
 * What a person can see of a page. It runs in the page, as text, in a world of its own: the page shares the document with
 * it, and none of the objects by which it looks. Everything that it needs stands inside of it.
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** The visible text of a page, a line for each block. */
export interface Seen {
  /** As it stands in the document. */
  readonly text: string;
  /** As style sheets show it: in capitals, for instance. */
  readonly styled: string;
}

export interface Eyes {
  seen(): Seen;
  /** Elements below a root that a person can see. */
  shown(root: Document | Element | ShadowRoot): Element[];
}

export function eyes(): Eyes {
  /** Less than this of a text is what hides it from people and not from screen readers. CSS pixels. */
  const LEAST = 2;
  const FAINT = 0.1;
  /** Fields hold what was typed, by the scenario too; the rest is no text at all. */
  const SKIPPED = new Set([
    "SCRIPT",
    "STYLE",
    "TEMPLATE",
    "NOSCRIPT",
    "HEAD",
    "SELECT",
    "TEXTAREA",
    "OPTION",
  ]);

  const styleOf = (element: Element): CSSStyleDeclaration =>
    (element.ownerDocument.defaultView ?? window).getComputedStyle(element);

  /** The parent in the tree as it is shown. */
  const over = (element: Element): Element | null => {
    if (element.assignedSlot !== null) return element.assignedSlot;
    if (element.parentElement !== null) return element.parentElement;
    const root = element.getRootNode();
    return root instanceof ShadowRoot ? root.host : null;
  };

  /** Nothing above hides it, as long as there is any area of it. */
  const clear = (element: Element): boolean => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    let opacity = 1;
    for (let at: Element | null = element; at !== null; at = over(at)) {
      const style = styleOf(at);
      opacity *= Number(style.opacity);
      if (opacity < FAINT) return false;
      if (
        /^(?:inset\((?:50|100)%|circle\(0|ellipse\(0|polygon\(0(?:px|%)? 0(?:px|%)?, 0(?:px|%)? 0)/.test(
          style.clipPath,
        )
      )
        return false;
    }
    return true;
  };

  /**
   * Whether anything of a box is left within what cuts it off, and within reach of scrolling.
   * @param holder the first element around it
   * @param placed how the box is positioned
   */
  const reachable = (box: DOMRect, holder: Element | null, placed: string): boolean => {
    let { left, top, right, bottom } = box;
    let position = placed;
    const ours = holder?.ownerDocument ?? document;
    const view = ours.defaultView ?? window;
    const page = ours.scrollingElement;
    for (let at = holder; at !== null; at = over(at)) {
      if (at === ours.body || at === ours.documentElement) break;
      const style = styleOf(at);
      const holds = style.transform !== "none" || style.filter !== "none" || style.contain !== "none";
      if (position === "fixed" && !holds) continue;
      if (position === "absolute" && style.position === "static" && !holds) continue;
      position = style.position;
      const frame = at.getBoundingClientRect();
      if (/auto|scroll/.test(style.overflowX + style.overflowY)) {
        // It scrolls: what lies before its beginning stays out of reach, and from here on its own box counts.
        if (right - frame.left + at.scrollLeft <= 0 || bottom - frame.top + at.scrollTop <= 0) return false;
        ({ left, top, right, bottom } = frame);
      } else {
        if (style.overflowX !== "visible")
          [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
        if (style.overflowY !== "visible")
          [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
      }
      if (right - left < LEAST || bottom - top < LEAST) return false;
    }
    if (right - left < LEAST || bottom - top < LEAST) return false;
    if (position === "fixed")
      return right > 0 && bottom > 0 && left < view.innerWidth && top < view.innerHeight;
    const width = Math.max(page?.scrollWidth ?? 0, view.innerWidth);
    return right + view.scrollX > 0 && bottom + view.scrollY > 0 && left + view.scrollX < width;
  };

  const canSee = (element: Element): boolean =>
    [...element.getClientRects()].some((box) => reachable(box, over(element), styleOf(element).position)) &&
    clear(element);

  const canRead = (text: Text, parent: Element): boolean => {
    const range = text.ownerDocument.createRange();
    range.selectNodeContents(text);
    if (![...range.getClientRects()].some((box) => reachable(box, parent, "static")) || !clear(parent))
      return false;
    const style = styleOf(parent);
    return (
      !/^rgba\(.*, 0\)$|\/ 0\)$|^transparent$/.test(style.webkitTextFillColor) ||
      /text/.test(style.backgroundClip)
    );
  };

  const transformed = (text: string, how: string): string =>
    how === "uppercase"
      ? text.toUpperCase()
      : how === "lowercase"
        ? text.toLowerCase()
        : how === "capitalize"
          ? text.replace(
              /(^|\s)(\p{L})/gu,
              (_, before: string, letter: string) => before + letter.toUpperCase(),
            )
          : text;

  const seen = (): Seen => {
    const out = { text: "", styled: "" };
    const both = (what: string): void => {
      out.text += what;
      out.styled += what;
    };
    const below = (nodes: Iterable<Node>, parent: Element): void => {
      for (const node of nodes) visit(node, parent);
    };
    const visit = (node: Node, parent: Element): void => {
      if (node.nodeType === 1) {
        element(node as Element);
        return;
      }
      if (node.nodeType !== 3 || !/\S/.test(node.nodeValue ?? "")) {
        if (node.nodeType === 3) both(" ");
        return;
      }
      if (!canRead(node as Text, parent)) return;
      const style = styleOf(parent);
      const plain = node.nodeValue ?? "";
      const text = /^pre|break-spaces/.test(style.whiteSpace) ? plain : plain.replace(/\s+/g, " ");
      out.text += text;
      out.styled += transformed(text, style.textTransform);
    };
    const element = (at: Element): void => {
      const name = at.tagName.toUpperCase();
      if (SKIPPED.has(name)) return;
      if (name === "BR") {
        both("\n");
        return;
      }
      const { display } = styleOf(at);
      if (display === "none") return;
      const inline = /^(?:inline|contents|ruby)/.test(display);
      const around =
        name === "BUTTON" || name === "INPUT" || display === "table-cell" ? " " : inline ? "" : "\n";
      both(around);
      if (name === "INPUT") {
        const { type, value } = at as HTMLInputElement;
        if (/^(?:submit|button|reset)$/.test(type) && canSee(at)) both(value);
      } else if (name === "IFRAME") {
        // A page of another origin does not let itself be looked into.
        const inner = (at as HTMLIFrameElement).contentDocument?.body;
        if (inner && canSee(at)) element(inner);
      } else if (name === "DETAILS" && !(at as HTMLDetailsElement).open) {
        below([...at.children].filter(({ tagName }) => tagName === "SUMMARY").slice(0, 1), at);
      } else if ((at as HTMLElement).isContentEditable) {
        // An editor is a field.
      } else if (at.shadowRoot !== null) below(at.shadowRoot.childNodes, at);
      else if (name === "SLOT") {
        const assigned = (at as HTMLSlotElement).assignedNodes({ flatten: true });
        for (const node of assigned) visit(node, node.parentElement ?? at);
        if (assigned.length === 0) below(at.childNodes, at);
      } else below(at.childNodes, at);
      both(around);
    };
    if (document.body !== null) element(document.body);
    const tidy = (text: string): string =>
      text
        .replaceAll("\u00a0", " ")
        .split("\n")
        .map((line) => line.replace(/[ \t]+/g, " ").trim())
        .filter((line) => line !== "")
        .join("\n");
    return { text: tidy(out.text), styled: tidy(out.styled) };
  };

  /** Every element that holds a text which can be read. */
  const readable = (root: Node, found: Set<Element>): Set<Element> => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const inner = (node as Element).shadowRoot;
      if (inner) readable(inner, found);
      const parent =
        node.parentElement ?? (node.parentNode instanceof ShadowRoot ? node.parentNode.host : null);
      if (node.nodeType !== 3 || parent === null || found.has(parent)) continue;
      if (/\S/.test(node.nodeValue ?? "") && canRead(node as Text, parent))
        for (let at: Element | null = parent; at !== null && !found.has(at); at = over(at)) found.add(at);
    }
    return found;
  };

  /** What shows something without any text. */
  const PICTURES = "img, svg, canvas, video, input, select, textarea, option, [contenteditable]";

  const shown = (root: Document | Element | ShadowRoot): Element[] => {
    const found = readable(root, new Set());
    const tells = (one: Element): boolean =>
      found.has(one) ||
      !/\S/.test(one.textContent ?? "") ||
      one.matches(PICTURES) ||
      one.querySelector(PICTURES) !== null;
    const below = (at: Document | Element | ShadowRoot): Element[] =>
      [...at.querySelectorAll("*")].flatMap((one) => [
        ...(canSee(one) && tells(one) ? [one] : []),
        ...(one.shadowRoot === null ? [] : below(one.shadowRoot)),
      ]);
    return below(root);
  };

  return { seen, shown };
}
