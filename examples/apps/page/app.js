const loads = Number(sessionStorage.getItem("loads") ?? 0) + 1;
sessionStorage.setItem("loads", loads);
document.getElementById("loads").value = loads === 1 ? "once" : `${loads} times`;
console.log("a page of files", loads);
