use super::*;

#[test]
fn a_login_shows_no_secret() {
    let proofs = [
        Proof::Password { username: "user".to_owned(), password: "hunter22".to_owned() },
        Proof::IdentityToken("hunter22".to_owned()),
        Proof::Token("hunter22".to_owned()),
    ];
    for proof in proofs {
        let login = Login { from: "a test".to_owned(), proof };
        let text = format!("{login:?} {login:#?}");
        assert!(!text.contains("hunter22") && text.contains("redacted"), "{text}");
        assert_eq!(login.secrets().redact("at hunter22"), "at ***");
    }
    let password = Proof::Password { username: "user".to_owned(), password: "hunter22".to_owned() };
    let login = Login { from: String::new(), proof: password };
    assert_eq!(login.secrets().redact("Basic dXNlcjpodW50ZXIyMg=="), "Basic ***");
}
