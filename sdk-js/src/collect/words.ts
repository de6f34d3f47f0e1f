const NODES_MAXIMUM = 20_000;
const SILENT = /^(SCRIPT|STYLE|NOSCRIPT|TEMPLATE|TEXTAREA|SELECT)$/;

/** Number of words in a text. */
export const wordsIn = (text: string): number => {
    return (text.match(/\S+/g) || []).length;
};

/** Words below an element, from its text nodes: asks for no layout. */
export const wordsBelow = (root: Node): number => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    let words = 0;
    for (let nodes = 0; nodes < NODES_MAXIMUM && walker.nextNode(); nodes++) {
        const { parentNode, nodeValue } = walker.currentNode;
        if (parentNode && !SILENT.test(parentNode.nodeName)) words += wordsIn(nodeValue || '');
    }
    return words;
};
